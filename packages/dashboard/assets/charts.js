// Draws what `data-chart` holds, with uPlot.
(() => {
  const { words, locale } = window.trivault;
  const units = words.units.split(" ");
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  function bytes(value) {
    let rest = value;
    let unit = 0;
    for (; Math.abs(rest) >= 1023.5 && unit < units.length - 1; unit++) rest /= 1024;
    return `${number.format(rest)}\u00A0${units[unit]}`;
  }
  function seconds(value) {
    if (value < 1) return `${number.format(value * 1000)}\u00A0ms`;
    if (value < 120) return `${number.format(value)}\u00A0s`;
    if (value < 7200) return `${number.format(value / 60)}\u00A0min`;
    return `${number.format(value / 3600)}\u00A0h`;
  }
  /** Ticks at round numbers of the unit that is read, not at round numbers of bytes. */
  const steps = {
    bytes: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512].flatMap((step) =>
      [0, 1, 2, 3, 4, 5].map((power) => step * 1024 ** power),
    ),
    seconds: [
      0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300,
      600, 900, 1800, 3600, 7200, 14400, 28800, 86400,
    ],
  };
  for (const key of Object.keys(steps)) steps[key].sort((a, b) => a - b);
  const show = { bytes, seconds };
  const timeOf = new Intl.DateTimeFormat(locale, {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const dateOf = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const clockOf = new Intl.DateTimeFormat(locale, clock);
  const secondOf = new Intl.DateTimeFormat(locale, { ...clock, second: "2-digit" });

  /** The clock within some days, and the day where one begins. */
  function formatFor(span) {
    const within = span < 600 ? secondOf : clockOf;
    return (tick) => {
      const date = new Date(tick * 1000);
      const isMidnight = date.getHours() + date.getMinutes() + date.getSeconds() === 0;
      return (span < 5 * 86400 && !isMidnight ? within : dateOf).format(date);
    };
  }

  /** A colour as it is computed: a canvas does not know light-dark(). */
  function colour(element, name) {
    const probe = document.createElement("i");
    element.append(probe);
    probe.style.color = `var(${name})`;
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  }

  function draw(element) {
    const { unit, names, data } = JSON.parse(element.dataset.chart);
    const [x] = data;
    element.replaceChildren();
    const muted = colour(element, "--muted");
    const grid = { stroke: colour(element, "--line"), width: 1 };
    const axis = { stroke: muted, grid, ticks: { show: false }, font: "11px sans-serif" };
    const timeAt = formatFor(x.length > 0 ? x.at(-1) - x[0] : 0);
    const readout = element.parentElement.querySelector("figcaption");
    const title = (readout.dataset.title ??= readout.textContent);
    return new uPlot(
      {
        width: element.clientWidth,
        height: element.clientHeight,
        cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
        legend: { show: false },
        padding: [8, 14, 0, 0],
        scales: { y: { range: (_, min, max) => [0, max > 0 ? max * 1.08 : 1] } },
        axes: [
          {
            ...axis,
            size: 26,
            space: 70,
            values: (_, ticks) => ticks.map(timeAt),
          },
          {
            ...axis,
            size: 62,
            incrs: steps[unit],
            values: (_, ticks) => ticks.map((tick) => (tick === 0 ? "0" : show[unit](tick))),
          },
        ],
        series: [
          {},
          ...names.map((name, i) => ({
            label: name,
            stroke: colour(element, `--t${i}`),
            fill: colour(element, "--live-bg"),
            width: 1.6,
            points: { show: x.length < 40, size: 4 },
          })),
        ],
        hooks: {
          setCursor: [
            (plot) => {
              const at = plot.cursor.idx;
              const values =
                at === null || at === undefined
                  ? []
                  : plot.data
                      .slice(1)
                      .map((each) => each[at])
                      .filter((value) => typeof value === "number");
              readout.textContent =
                values.length === 0
                  ? title
                  : `${title} · ${values.map(show[unit]).join(", ")} · ${timeOf.format(plot.data[0][at] * 1000)}`;
            },
          ],
        },
      },
      data,
      element,
    );
  }

  const plots = [...document.querySelectorAll("[data-chart]")].map((element) => ({ element, plot: draw(element) }));
  document.addEventListener("theme", () => {
    for (const each of plots) {
      each.plot.destroy();
      each.plot = draw(each.element);
    }
  });
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const { plot } = plots.find(({ element }) => element === target);
      plot.setSize({ width: target.clientWidth, height: target.clientHeight });
    }
  });
  for (const { element } of plots) sizes.observe(element);
})();
