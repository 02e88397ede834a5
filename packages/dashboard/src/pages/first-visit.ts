import { html } from "@trivault/core";
import { page } from "../layout.ts";
import { icon } from "../status.ts";
import { createView, type ViewOptions } from "../view.ts";

type Options = Pick<ViewOptions, "language" | "assetUrl" | "now">;

export interface FirstVisitPage extends Options {
  readonly problem: string | null;
  readonly user: string;
  readonly shortestPassword: number;
  readonly csrf: string;
}

/** Where there are no users yet: whoever has the token of the first start makes the first one. */
export function firstVisitPage({ problem, user, shortestPassword, csrf, ...options }: FirstVisitPage): string {
  const view = createView({ ...options, viewer: null, firing: null });
  const { text } = view;
  return page(view, {
    title: text.firstVisit.title,
    here: null,
    body: html`<form class="login" method="post" action="/login">
      <h1>Trivault</h1>
      <p class="lead">${text.firstVisit.lead}</p>
      ${problem && html`<p class="notice bad" role="alert">${icon("bad")}<span>${problem}</span></p>`}
      <input type="hidden" name="_csrf" value="${csrf}" />
      <label
        >${text.firstVisit.token}
        <input type="password" name="token" autocomplete="off" spellcheck="false" required autofocus maxlength="200"
      /></label>
      <p class="none">${text.firstVisit.tokenHint}</p>
      <label
        >${text.login.user}
        <input
          name="user"
          value="${user}"
          autocomplete="username"
          autocapitalize="none"
          spellcheck="false"
          required
          maxlength="63"
      /></label>
      <label
        >${text.login.password}
        <input
          type="password"
          name="password"
          autocomplete="new-password"
          required
          minlength="${shortestPassword}"
          maxlength="1000"
      /></label>
      <p class="none">${text.firstVisit.passwordHint(shortestPassword)}</p>
      <button class="main">${text.firstVisit.go}</button>
    </form>`,
  });
}

export interface FirstUserPage extends Options {
  readonly user: string;
  readonly otpauthUrl: string;
  readonly recoveryCodes: readonly string[];
}

/** What the first user has to keep; shown once. */
export function firstUserPage({ user, otpauthUrl, recoveryCodes, ...options }: FirstUserPage): string {
  const view = createView({ ...options, viewer: null, firing: null });
  const { text } = view;
  const secret = new URL(otpauthUrl).searchParams.get("secret") ?? "";
  return page(view, {
    title: text.firstVisit.title,
    here: null,
    body: html`<div class="login">
      <h1>Trivault</h1>
      <p class="lead">${text.firstVisit.made(user)}</p>
      <p>${text.firstVisit.secondFactor}</p>
      <p><code>${secret}</code></p>
      <p class="none"><code>${otpauthUrl}</code></p>
      <p>${text.firstVisit.recoveryCodes}</p>
      <pre>${recoveryCodes.join("\n")}</pre>
      <p class="none">${text.firstVisit.once}</p>
      <p><a class="button main" href="/login">${text.login.go}</a></p>
    </div>`,
  });
}
