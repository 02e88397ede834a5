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

  test("9.C22 where people read it, a stranger's text turns no direction; what programs read stays as it is", () => {
    const name = "shop\u202E\u2066\u001B[2J\nב\u200F";
    const shown = String.raw`shop\u202e\u2066\x1b[2J`;
    expect(html`<b>${[name]} ${name}</b>`.markup).toBe(`<b>${shown}\nב\\u200f ${shown}\nב\\u200f</b>`);
    const read = `${shown}\\nב\\u200f`;
    expect(html`<a title="of ${name}, ${name}" aria-label="${name}">${"x"}</a>`.markup).toBe(
      `<a title="of ${read}, ${read}" aria-label="${read}">x</a>`,
    );
    expect(html`<input name="database" value="${name}" data-x="${name}" />`.markup).toBe(
      `<input name="database" value="${name}" data-x="${name}" />`,
    );
    expect(html`value="${name}"`.markup).toBe(`value="${name}"`);
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
