import { html } from "@trivault/core";
import { page } from "../layout.ts";
import type { View } from "../view.ts";

export interface ProblemPage {
  readonly status: number;
  readonly detail: string;
  readonly requestId: string;
}

/** What could not be done or shown, in the words of the problem itself. */
export function problemPage(view: View, { status, detail, requestId }: ProblemPage): string {
  const { text } = view;
  const title = status === 404 ? text.problem.notFound : status === 403 ? text.problem.forbidden : text.problem.failed;
  return page(view, {
    title,
    here: null,
    body: html`<section class="empty problem-page">
      <h1>${title}</h1>
      <p>${detail}</p>
      <p class="none">${text.problem.request} <code>${requestId}</code></p>
      <p><a class="button" href="/">${text.nav.overview}</a></p>
    </section>`,
  });
}
