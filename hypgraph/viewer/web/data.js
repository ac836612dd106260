/* The data block of the page, as typed arrays. */

/**
 * @param {string} text base64 of little-endian numbers
 * @returns {ArrayBuffer}
 */
function bytesOf(text) {
  const binary = atob(text), bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes.buffer;
}

/**
 * @typedef {{title: string, subtitle: string[], c: number, projected: boolean, first: number, layout: string,
 *   count: number, ids: string[],
 *   labelNames: string[], radius: Float64Array, direction: Float64Array, label: ?Int32Array, depth: ?Int32Array,
 *   degree: ?Int32Array, scale: ?Float64Array, originalRadius: ?Float64Array, neighbors: ?Int32Array,
 *   neighborDistance: ?Float64Array, probability: ?Float64Array, links: Object<string, Int32Array>}} Data
 *   absent columns are null; links holds pairs of nodes by kind.
 */

/**
 * Pairs in an order in which every first part of them is spread over all: a moving picture may draw some of them.
 * @param {Int32Array} pairs @returns {Int32Array}
 */
function spread(pairs) {
  const count = pairs.length / 2, out = new Int32Array(pairs.length), divides = (a, b) => (b ? divides(b, a % b) : a);
  let step = Math.max(1, Math.round(0.618 * count));
  while (count && divides(count, step) > 1) step += 1;
  for (let k = 0, at = 0; k < count; k++, at = (at + step) % count) out.set(pairs.subarray(2 * at, 2 * at + 2), 2 * k);
  return out;
}

/** @param {string} text @returns {Data} */
function readData(text) {
  const data = JSON.parse(text);
  const numbers = (kind, name) => {
    const array = new kind(bytesOf(data[name]));
    return array.length ? array : null;
  };
  for (const name of ["radius", "direction"]) data[name] = new Float64Array(bytesOf(data[name]));
  for (const name of ["scale", "originalRadius", "neighborDistance", "probability"])
    data[name] = numbers(Float64Array, name);
  for (const name of ["label", "depth", "degree", "neighbors"]) data[name] = numbers(Int32Array, name);
  data.links = {};
  for (const kind of Object.keys(LINKS)) data.links[kind] = new Int32Array(bytesOf(data[kind]));
  data.links.edges = spread(data.links.edges);
  data.count = data.radius.length;
  return data;
}

/** @param {Data} data @returns {{radius: Float64Array, direction: Float64Array}} for curvature -1, or the plane */
function nodesOf(data) {
  const unit = data.c > 0 ? Math.sqrt(data.c) : 1;
  return { radius: data.radius.map((r) => unit * r), direction: data.direction };
}
