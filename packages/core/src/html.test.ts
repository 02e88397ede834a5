import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { html, Html, join } from "./html.ts";

describe("html", () => {
  test("escapes text, joins lists, leaves nothing for null, undefined and false", () => {
    const list = ["<b>", html`<i>${"&"}</i>`, 3];
    expect(html`<p title="${'a"b'}">${list}${null}${undefined}${false}</p>`.markup).toBe(
      '<p title="a&quot;b">&lt;b&gt;<i>&amp;</i>3</p>',
    );
    expect(html`${join(["a", "b"], html`<i></i>`)}`.markup).toBe("a<i></i>b");
  });

  test("leaves the indentation of its source out, and that of a value in", () => {
    const indented = Object.assign(["<p>\n      ", "  \n</p>"], { raw: [] });
    expect(html(indented, "a\n b").markup).toBe("<p>\na\n b\n</p>");
  });

  test("no text comes out as markup, in content or in a quoted attribute", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const { markup } = html`<a title="${text}">${text}</a>`;
        expect(markup.match(/[<>]/g)).toHaveLength(4);
        expect(markup.match(/["']/g)).toHaveLength(2);
      }),
    );
    expect(html`${new Html("<b>")}`.markup).toBe("<b>");
  });
});
