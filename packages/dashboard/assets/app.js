// What pages do beyond what the server sent: times in the viewer's zone, the theme, the filter, and staying up to date.
(() => {
  const root = document.documentElement;
  const words = JSON.parse(document.body.dataset.words);
  const locale = root.lang === "fr" ? "fr-FR" : "en-GB";
  root.classList.add("js");

  // Times, and what only scripts can do. The kinds are as in packages/dashboard/src/format.ts.
  const clock = { hour: "2-digit", minute: "2-digit" };
  const day = { day: "numeric", month: "short" };
  const formats = new Map();
  const format = (options) => {
    const key = JSON.stringify(options);
    if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(locale, { hourCycle: "h23", ...options }));
    return formats.get(key);
  };
  const today = format({ ...day, year: "numeric" });
  function prepare(within) {
    for (const button of within.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
    const now = new Date();
    const todays = today.format(now);
    for (const element of within.querySelectorAll("time")) {
      const date = new Date(element.dateTime);
      const kind = element.dataset.f ?? "smart";
      element.title = `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
      if (kind === "ago") continue;
      const sameYear = date.getFullYear() === now.getFullYear();
      const options =
        kind === "date"
          ? { ...day, year: "numeric" }
          : kind === "clock" || (kind === "smart" && today.format(date) === todays)
            ? clock
            : { ...day, ...(kind === "smart" && sameYear ? {} : { year: "numeric" }), ...clock };
      element.textContent = format(options).format(date);
    }
  }

  // Theme.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = document.getElementById("theme");
  const isDark = () => (root.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const showTheme = () => theme && (theme.textContent = isDark() ? words.light : words.dark);
  if (theme) {
    theme.hidden = false;
    theme.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      try {
        localStorage.setItem("theme", root.dataset.theme);
      } catch {
        // It holds for this page, then.
      }
      showTheme();
      document.dispatchEvent(new Event("theme"));
    });
    dark.addEventListener("change", () => {
      showTheme();
      document.dispatchEvent(new Event("theme"));
    });
    showTheme();
  }

  // The filter of the first page.
  const form = document.getElementById("filter");
  function applyFilter() {
    const query = form.elements.q.value.trim().toLowerCase();
    const only = form.elements.problems.checked;
    let shown = 0;
    for (const row of document.getElementById("rows").rows) {
      row.hidden =
        (only && row.className === "") || !row.cells[0].firstElementChild.textContent.toLowerCase().includes(query);
      if (!row.hidden) shown++;
    }
    document.getElementById("no-match").hidden = shown > 0;
  }
  if (form && location.search === "") {
    form.addEventListener("input", applyFilter);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      applyFilter();
    });
    applyFilter();
  }

  // Copying.
  document.addEventListener("click", ({ target }) => {
    if (!target.matches("[data-copy]")) return;
    navigator.clipboard.writeText(document.getElementById(target.dataset.copy).textContent).then(
      () => (target.textContent = words.copied),
      () => (target.hidden = true),
    );
  });

  // What is sent twice would be done twice.
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    setTimeout(() => event.target.querySelectorAll("button").forEach((button) => (button.disabled = true)));
  });
  addEventListener("pageshow", () =>
    document.querySelectorAll("button:disabled").forEach((button) => (button.disabled = false)),
  );

  // A day of the calendar leads into the list, which must be open for that.
  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const closed = target && target.closest("details:not([open])");
    if (closed) {
      closed.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", reveal);

  // Staying up to date: the parts that have an id are exchanged, unless somebody is at work in them.
  const page = document.querySelector("[data-refresh]");
  const stale = document.getElementById("stale");
  const afterExchange = [];
  let freshAt = new Date();
  let running = null;
  /** One at a time; whoever asks meanwhile waits for the one that runs. */
  function refresh() {
    running ??= fetchPage().finally(() => (running = null));
    return running;
  }
  async function fetchPage() {
    try {
      const answer = await fetch(location.href, {
        headers: { accept: "text/html" },
        signal: AbortSignal.timeout(15_000),
      });
      if (answer.redirected || answer.status === 401) return location.reload();
      if (!answer.ok) throw new Error(String(answer.status));
      exchange(new DOMParser().parseFromString(await answer.text(), "text/html"));
      freshAt = new Date();
      stale.hidden = true;
    } catch {
      stale.textContent = words.stale.replace("{time}", format(clock).format(freshAt));
      stale.hidden = false;
    }
  }
  function exchange(next) {
    const fresh = next.querySelector("[data-refresh]");
    const sections = (within) =>
      [...within.querySelectorAll(":scope > *")].map(({ id, className }) => id || className).join();
    if (!fresh) return;
    if (sections(fresh) === sections(page)) {
      for (const part of page.querySelectorAll(":scope > [id]")) exchangePart(part, next);
    } else if (!isBusy(page)) {
      prepare(fresh);
      page.replaceChildren(...document.adoptNode(fresh).children);
    }
    page.dataset.refresh = fresh.dataset.refresh;
    if (form && location.search === "") applyFilter();
    for (const listener of afterExchange) listener();
  }
  function exchangePart(old, next) {
    // In the list of databases only the rows are replaced: the filter above them is the reader's own.
    const inner = old.querySelector("#rows") ?? old;
    const fresh = next.getElementById(inner.id);
    if (!fresh || isBusy(inner)) return;
    const focused = inner.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    prepare(fresh);
    const opened = new Set([...inner.querySelectorAll("details[open]")].map(({ className }) => className));
    for (const details of fresh.querySelectorAll("details")) details.open ||= opened.has(details.className);
    inner.replaceWith(document.adoptNode(fresh));
    if (focused) [...fresh.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
  }
  const isBusy = (part) =>
    part.querySelector("details.act[open], .plot") !== null || part.matches(":has(:is(input, select, textarea):focus)");
  const refreshIfSeen = () => {
    if (document.visibilityState === "visible") void refresh();
  };
  if (page) {
    // Whoever has just done something waits for what comes of it.
    const eagerUntil = document.querySelector(".notice.ok") ? performance.now() + 120_000 : 0;
    const next = () => {
      const seconds = performance.now() < eagerUntil ? 3 : Number(page.dataset.refresh);
      setTimeout(() => {
        refreshIfSeen();
        next();
      }, seconds * 1000);
    };
    next();
    document.addEventListener("visibilitychange", refreshIfSeen);
  }
  window.trivault = { words, locale, refresh, afterExchange };

  // The outcome of an action is shown once.
  const address = new URL(location.href);
  if (address.searchParams.has("done")) {
    address.searchParams.delete("done");
    history.replaceState(null, "", address);
  }
  prepare(document);
  reveal();
})();
