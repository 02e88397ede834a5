// What pages do beyond what the server sent: times in the viewer's zone, the theme, the filter, and staying up to date.
(() => {
  const root = document.documentElement;
  const words = JSON.parse(document.body.dataset.words);
  const locale = root.lang === "fr" ? "fr-FR" : "en-GB";
  root.classList.add("js");

  // Times. The kinds are as in packages/dashboard/src/format.ts.
  const clock = { hour: "2-digit", minute: "2-digit" };
  const day = { day: "numeric", month: "short" };
  const formats = new Map();
  const format = (options) => {
    const key = JSON.stringify(options);
    if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(locale, { hourCycle: "h23", ...options }));
    return formats.get(key);
  };
  const today = format({ ...day, year: "numeric" });
  function localize(within) {
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
  for (const button of document.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = words.copied;
    });
  }

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
  let freshAt = new Date();
  async function refresh() {
    try {
      const answer = await fetch(location.href, {
        headers: { accept: "text/html" },
        signal: AbortSignal.timeout(15000),
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
    for (const old of page.querySelectorAll(":scope > [id], #rows")) {
      if (old.id === "databases" && document.getElementById("rows")) continue;
      const fresh = next.getElementById(old.id);
      if (!fresh || isBusy(old)) continue;
      const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      localize(fresh);
      for (const { open, className } of old.querySelectorAll("details[open]")) {
        const same = fresh.querySelector(`details.${className}`);
        if (same) same.open = open;
      }
      old.replaceWith(document.adoptNode(fresh));
      if (focused) [...fresh.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
    }
    if (form && location.search === "") applyFilter();
  }
  const isBusy = (part) =>
    part.querySelector("details.act[open], .plot") !== null || part.matches(":has(:is(input, select, textarea):focus)");
  if (page) {
    setInterval(() => document.visibilityState === "visible" && refresh(), Number(page.dataset.refresh) * 1000);
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refresh());
  }
  window.trivault = { words, locale, localize, refresh, exchange };

  localize(document);
  reveal();
})();
