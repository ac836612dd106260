/* Colours of nodes: ten that colour-blind people tell apart (Petroff 2021), and viridis for numbers. */

const CATEGORIES = ["#3f90da", "#ffa90e", "#bd1f01", "#832db6", "#92dadd", "#a96b59", "#e76300", "#b9ac70", "#717581"];
const CATEGORIES_DARK = ["#5ba6ea", "#ffb733", "#e5553a", "#b47be0", "#92dadd", "#c78f7d", "#ff8a33", "#cbbf85", "#9a9eaa"];
const VIRIDIS = ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b",
                 "#fde725"];

const THEMES = {
  light: { background: "#f4f6f9", disk: "#ffffff", boundary: "#8795a8", ring: "#e3e8ee", ringText: "#69788c",
           text: "#17212e", halo: "#ffffff", edge: "#40546b", outline: "#ffffff", other: "#98a3b0", plain: "#3f7fc4",
           sigma: "#5878a0", accent: "#0b57c2", found: "#0072b2", missed: "#d55e00", predicted: "#a03d80" },
  dark: { background: "#0e131a", disk: "#151c26", boundary: "#5b6a7e", ring: "#232d3b", ringText: "#8796aa",
          text: "#e8eef6", halo: "#151c26", edge: "#a9bdd4", outline: "#151c26", other: "#6f7b8a", plain: "#6aaaf0",
          sigma: "#9cbbe0", accent: "#8fc0ff", found: "#56b4e9", missed: "#ff8b3d", predicted: "#e58ac4" },
};

/** What nodes can be coloured by. @type {Object<string, string>} */
const COLOURINGS = { label: "Label", depth: "Depth", degree: "Degree", radius: "Radius", scale: "σ" };

/** @param {string} hex @returns {number[]} red, green, blue from 0 to 255 */
function rgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

/** @param {number[]} colour @returns {string} */
function hex(colour) {
  return "#" + colour.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("");
}

/** @param {number} share from 0 to 1 @param {boolean} dark @returns {number[]} without what the ground would hide */
function viridis(share, dark) {
  const at = (dark ? 0.2 + 0.8 * share : 0.92 * share) * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(at), VIRIDIS.length - 2), rest = at - low;
  const from = rgb(VIRIDIS[low]), to = rgb(VIRIDIS[low + 1]);
  return from.map((part, k) => part + rest * (to[k] - part));
}

/** @param {Data} data @returns {string[]} the colourings that the data has */
function colouringsOf(data) {
  return Object.keys(COLOURINGS).filter((name) => (name === "label" ? data.label && data.labelNames.length : data[name]));
}

/**
 * @typedef {{kind: "categories", entries: {name: string, colour: string, labels: number[], count: number}[]}} Categories
 * @typedef {{kind: "scale", low: number, high: number, log: boolean, stops: string[]}} Scale
 */

/**
 * @param {Data} data @param {string} by one of COLOURINGS, or "" @param {boolean} dark @param {?Set<number>} only
 *   labels that are not dimmed
 * @returns {{rgba: Uint8Array, legend: ?(Categories|Scale)}}
 */
function colouring(data, by, dark, only) {
  const rgba = new Uint8Array(4 * data.count).fill(255);
  if (by === "label") return { rgba, legend: byLabel(data, dark, only, rgba) };
  if (!by) {
    paint(rgba, () => rgb(THEMES[dark ? "dark" : "light"].plain));
    return { rgba, legend: null };
  }
  return { rgba, legend: byNumber(data, by, dark, rgba) };
}

/** @param {Uint8Array} rgba @param {(i: number) => number[]} colourOf */
function paint(rgba, colourOf) {
  for (let i = 0; 4 * i < rgba.length; i++) rgba.set(colourOf(i), 4 * i);
}

/** The largest categories have a colour each, all others share a grey. */
function byLabel(data, dark, only, rgba) {
  const counts = data.labelNames.map((name, label) => ({ name, labels: [label], count: 0 }));
  for (const label of data.label) if (label >= 0) counts[label].count++;
  const colours = dark ? CATEGORIES_DARK : CATEGORIES, other = THEMES[dark ? "dark" : "light"].other;
  const ranked = counts.filter((entry) => entry.count).sort((a, b) => b.count - a.count);
  const kept = ranked.slice(0, colours.length).sort((a, b) => a.labels[0] - b.labels[0]);
  const entries = kept.map((entry, k) => ({ ...entry, colour: colours[k] }));
  const rest = ranked.slice(colours.length);
  const unnamed = data.label.reduce((sum, label) => sum + (label < 0), 0);
  if (rest.length || unnamed)
    entries.push({
      name: rest.length ? `${rest.length} others` : "none", colour: other,
      labels: [-1, ...rest.flatMap((entry) => entry.labels)],
      count: rest.reduce((sum, entry) => sum + entry.count, unnamed),
    });
  const colourOf = new Map(entries.flatMap((entry) => entry.labels.map((label) => [label, rgb(entry.colour)])));
  paint(rgba, (i) => colourOf.get(data.label[i]));
  if (only) for (let i = 0; i < data.count; i++) if (!only.has(data.label[i])) rgba[4 * i + 3] = 40;
  return { kind: "categories", entries };
}

/** A scale from the smallest to the largest number; degrees on a logarithmic one. */
function byNumber(data, by, dark, rgba) {
  const log = by === "degree", values = data[by], at = (value) => (log ? Math.log1p(value) : value);
  let low = Infinity, high = -Infinity;
  for (const value of values) {
    if (by === "depth" && value < 0) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const span = at(high) - at(low) || 1, other = rgb(THEMES[dark ? "dark" : "light"].other);
  paint(rgba, (i) => (by === "depth" && values[i] < 0 ? other : viridis((at(values[i]) - at(low)) / span, dark)));
  const stops = Array.from({ length: 12 }, (_, k) => hex(viridis(k / 11, dark)));
  return { kind: "scale", low, high, log, stops };
}
