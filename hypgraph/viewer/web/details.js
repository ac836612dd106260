/* What is known about one node, in words: for the card beside the mouse, the panel, and the screen reader. */

const NEAREST = 5;

/**
 * The nearest nodes in the space of the embedding: those that came with the page, or by the exact distance of the
 * data's own coordinates; none where these are a projection.
 * @param {Scene} scene @param {number} node @returns {{node: number, distance: number}[]} nearest first
 */
function nearestTo({ data, view, frame }, node) {
  if (data.neighbors) {
    const k = data.neighbors.length / data.count, from = k * node;
    return Array.from({ length: Math.min(k, NEAREST) }, (_, j) => (
      { node: data.neighbors[from + j], distance: data.neighborDistance[from + j] }));
  }
  if (data.projected) return [];
  const best = [];
  for (let i = 0; i < data.count; i++) {
    if (i === node) continue;
    const distance = view.distance(node, i) / frame.rootC;
    if (best.length === NEAREST && distance >= best[NEAREST - 1].distance) continue;
    best.push({ node: i, distance });
    best.sort((a, b) => a.distance - b.distance);
    best.length = Math.min(best.length, NEAREST);
  }
  return best;
}

/** @param {Data} data @param {number} node @returns {string} the name of its category, or nothing */
function labelOf(data, node) {
  return data.label && data.label[node] >= 0 ? data.labelNames[data.label[node]] : "";
}

/** @param {Scene} scene @param {number} node @returns {string[][]} names and values */
function factsOf({ data }, node) {
  const facts = [["radius", short((data.originalRadius || data.radius)[node])]];
  if (data.scale) facts.push(["σ", short(data.scale[node])]);
  if (data.degree) facts.push(["degree", String(data.degree[node])]);
  if (data.depth && data.depth[node] >= 0) facts.push(["depth", String(data.depth[node])]);
  return facts;
}

/** @param {string} tag @param {string} text @param {string} [style] a class @returns {HTMLElement} */
function element(tag, text, style) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (style) made.className = style;
  return made;
}

/**
 * @param {Scene} scene @param {number} node @param {?(node: number) => void} go  makes buttons of the neighbours
 * @returns {HTMLElement[]}
 */
function detailsOf(scene, node, go) {
  const { data } = scene, label = labelOf(data, node), parts = [element("strong", data.ids[node], "name")];
  if (label) parts.push(element("p", label, "label"));
  const list = element("dl", "");
  for (const [name, value] of factsOf(scene, node)) {
    const pair = element("div", "");
    pair.append(element("dt", name), element("dd", value));
    list.append(pair);
  }
  parts.push(list);
  const nearest = nearestTo(scene, node);
  if (nearest.length) parts.push(element("p", "Nearest, geodesic distance", "heading"), nearestList(scene, nearest, go));
  return parts;
}

function nearestList({ data }, nearest, go) {
  const list = element("ol", "", "nearest");
  for (const { node, distance } of nearest) {
    const item = element("li", ""), name = element(go ? "button" : "span", data.ids[node], "who");
    if (go) {
      name.type = "button";
      name.addEventListener("click", () => go(node));
    }
    item.append(name, element("span", short(distance), "number"));
    list.append(item);
  }
  return list;
}

/** @param {Scene} scene @param {number} node @returns {string} a sentence */
function spoken(scene, node) {
  const { data } = scene, label = labelOf(data, node);
  const facts = factsOf(scene, node).map(([name, value]) => `${name} ${value}`).join(", ");
  const nearest = nearestTo(scene, node).slice(0, 3).map((one) => data.ids[one.node]).join(", ");
  return `${data.ids[node]} is in the centre. ${label ? `Label ${label}, ` : ""}${facts}.` +
    (nearest ? ` Nearest: ${nearest}.` : "");
}
