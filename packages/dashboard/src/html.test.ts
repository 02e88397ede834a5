import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { html, Html, join } from "./html.ts";

describe("html", () => {
  test("escapes text, joins lists, leaves nothing for null, undefined and false", () => {
    const list = ["<b>", html`<i>${"&"}</i>`, 3];
    expect(html`<p title="${'a"b'}">${list}${null}${undefined}${false}</p>`.markup).toBe(
      '<p title="a&quot;b">&lt;b&gt;<i>&amp;</i>3</p>',
    );
    expect(html`${join(["a", "b"], html`<br />`)}`.markup).toBe("a<br>b");
    expect(html`<p>a</p>`.markup).toBe("<p>\na</p>");
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
