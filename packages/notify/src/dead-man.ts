import { withoutTrailing } from "@trivault/core";
import { post, type PostOptions } from "./post.ts";
import { shorten } from "./text.ts";

/**
 * Reports to a watcher elsewhere (healthchecks.io and its like) that everything is healthy; or, at `<url>/fail`, that it is not, and why.
 * https://healthchecks.io/docs/http_api/
 */
export async function pingDeadMan(url: string, problem: string | null, options: PostOptions): Promise<void> {
  const target = new URL(url);
  if (problem !== null) target.pathname = `${withoutTrailing(target.pathname, "/")}/fail`;
  const body = shorten(problem ?? "well", 1000);
  const headers = { "content-type": "text/plain; charset=utf-8" };
  await post({ to: "The dead man's switch", url: target.href, body, headers, secrets: [url] }, options);
}
