import { html } from "@trivault/core";
import { page } from "../layout.ts";
import { icon } from "../status.ts";
import { createView, type ViewOptions } from "../view.ts";

export interface LoginPage extends Pick<ViewOptions, "language" | "assetUrl" | "now"> {
  /** Why the last try did not succeed. */
  readonly problem: string | null;
  /** Where to after it. */
  readonly next: string;
  readonly step: "password" | "code";
  readonly csrf: string;
}

export function loginPage({ problem, next, step, csrf, ...options }: LoginPage): string {
  const view = createView({ ...options, viewer: null, firing: null });
  const { text } = view;
  const fields =
    step === "password"
      ? html`<label
            >${text.login.user}
            <input
              name="user"
              autocomplete="username"
              autocapitalize="none"
              spellcheck="false"
              required
              autofocus
              maxlength="100"
          /></label>
          <label
            >${text.login.password}
            <input type="password" name="password" autocomplete="current-password" required maxlength="1000"
          /></label>`
      : html`<label
            >${text.login.code}
            <input
              name="code"
              autocomplete="one-time-code"
              autocapitalize="none"
              spellcheck="false"
              minlength="6"
              required
              autofocus
              maxlength="24"
          /></label>
          <p class="none">${text.login.codeHint}</p>`;
  return page(view, {
    title: text.login.title,
    here: null,
    body: html`<form class="login" method="post" action="/login">
      <h1>Trivault</h1>
      <p class="lead">${text.login.lead}</p>
      ${problem && html`<p class="notice bad" role="alert">${icon("bad")}<span>${problem}</span></p>`}
      <input type="hidden" name="_csrf" value="${csrf}" /><input type="hidden" name="next" value="${next}" />
      ${fields}
      <button class="main">${step === "password" ? text.login.go : text.login.confirm}</button>
    </form>`,
  });
}
