// A backup as it is made: what the stages report by server-sent events, between two looks at the whole page.
(() => {
  const { words, locale, refresh, afterExchange } = window.trivault;
  const page = document.querySelector("[data-live]");
  if (!page || page.dataset.live !== "1") return;
  const units = words.units.split(" ");
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const tones = { waiting: "idle", active: "live", retrying: "warn", completed: "ok", failed: "bad" };

  function bytes(value) {
    let rest = value;
    let unit = 0;
    for (; rest >= 1023.5 && unit < units.length - 1; unit++) rest /= 1024;
    return `${number.format(rest)}\u00A0${units[unit]}`;
  }
  function duration(seconds) {
    if (seconds < 90) return `${Math.max(1, Math.round(seconds))}\u00A0s`;
    if (seconds < 5400) return `${Math.round(seconds / 60)}\u00A0min`;
    return `${number.format(seconds / 3600)}\u00A0h`;
  }

  /** What each stage reported last, and how fast it went lately. */
  const known = new Map();
  function learn(stage, at) {
    const key = stage.tier ?? stage.stage;
    const before = known.get(key);
    const done = stage.progress?.bytes ?? 0;
    let rate = before?.rate ?? null;
    if (before && stage.state === "active" && at > before.at && done >= before.done) {
      const now = (done - before.done) / ((at - before.at) / 1000);
      rate = rate === null ? now : rate * 0.8 + now * 0.2;
    }
    known.set(key, { stage, done, at, rate });
  }

  function show() {
    for (const card of document.querySelectorAll("[data-stage]")) {
      const last = known.get(card.dataset.stage);
      if (last) showStage(card, last);
    }
  }
  function showStage(card, { stage, done, rate }) {
    const { state, progress } = stage;
    // The page may know more already: it asks the audit log as well.
    if (state === "waiting" && card.dataset.state !== "waiting") return;
    const tone = tones[state];
    card.className = `stage ${tone}`;
    const icon = card.querySelector(".i");
    icon.setAttribute("class", `i ${tone}`);
    icon.firstElementChild.setAttribute("href", `#${tone}`);
    card.querySelector(".state").textContent = words.stageState[state];
    const guessed = progress?.totalBytes === undefined;
    const total = progress?.totalBytes ?? Number(card.dataset.total);
    const bar = card.querySelector("progress");
    if (state === "completed") Object.assign(bar, { max: 1, value: 1 });
    else if (state === "active" && total > 0)
      Object.assign(bar, { max: total, value: Math.min(done, guessed ? total * 0.97 : total) });
    else if (state === "active") bar.removeAttribute("value");
    const put = (name, text) => {
      const place = card.querySelector(`.${name}`);
      if (place) place.textContent = text;
    };
    if (progress)
      put(
        "bytes",
        total > 0 && state === "active"
          ? `${bytes(done)} / ${guessed ? words.about.replace("{size}", bytes(total)) : bytes(total)}`
          : bytes(done),
      );
    if (state !== "active") return;
    const moves = rate !== null && rate > 0;
    put("rate", moves ? `${bytes(rate)}/s` : "");
    put("left", moves && total > done ? words.left.replace("{time}", duration((total - done) / rate)) : "");
  }

  const moves = () => document.querySelector("#stages [data-moving]") !== null;
  // Else something was done with it, whose outcome is waited for.
  const moved = moves();
  let status = null;
  const id = decodeURIComponent(location.pathname.split("/").at(-1));
  const events = new EventSource(`/api/v1/events?backup=${encodeURIComponent(id)}`);
  events.addEventListener("run", ({ data }) => {
    const run = JSON.parse(data);
    const at = performance.now();
    for (const stage of run.stages) learn(stage, at);
    show();
    if (run.status !== status) void refresh();
    status = run.status;
  });
  // Something ended: the page shows it in full.
  for (const name of ["record", "reset"]) events.addEventListener(name, () => void refresh());
  afterExchange.push(() => {
    if (moved && !moves()) events.close();
    else show();
  });
})();
