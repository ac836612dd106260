/* Puts the page together, and names what others may call. */

const data = readData(part("data").textContent);
const canvases = Object.fromEntries(["ground", "gl", "flat", "over"].map((name) => [name, part(name)]));
const scene = new Scene(data, canvases, !new URLSearchParams(location.search).has("canvas"));
const panel = new Panel(scene);

/** @param {number} node  is marked and described; -1 for none */
function select(node) {
  scene.selected = node;
  panel.showNode(node, centre);
  scene.invalidate();
}

/** @param {number} node  is marked and moves to the middle */
function centre(node) {
  select(node);
  scene.centre(node);
  part("live").textContent = spoken(scene, node);
}

const search = new Search(data, centre);
const controls = new Controls(scene, { select, centre, toggleLayout: () => panel.toggleLayout() });
const fileName = (kind) => `${(data.title.match(/[\p{L}\p{N}]+/gu) || ["embedding"]).join("-").slice(0, 60)}.${kind}`;
part("png").addEventListener("click", async () => save(await pngOf(scene), fileName("png")));
part("svg").addEventListener("click", () => save(new Blob([svgOf(scene)], { type: "image/svg+xml" }), fileName("svg")));
new ResizeObserver(() => scene.resize()).observe(part("stage"));
scene.resize();

/**
 * Draws frames of a drag that goes around, and times them.
 * @param {number} frames
 * @returns {{script: number[], whole: number[]}} ms of JavaScript alone, and until the picture is there
 */
function timeFrames(frames) {
  const times = { script: [], whole: [] }, pixel = new Uint8Array(4), reach = 0.2 * scene.frame.scale / scene.zoom;
  const move = scene.grab(0, 0, -1), gl = scene.renderer && scene.renderer.gl;
  for (let k = 0; k < frames; k++) {
    const start = performance.now(), angle = (2 * Math.PI * k) / frames;
    move(reach * (1 - Math.cos(angle)), reach * Math.sin(angle));
    scene.draw();
    times.script.push(performance.now() - start);
    if (gl) gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
    else canvases.flat.getContext("2d").getImageData(0, 0, 1, 1);
    times.whole.push(performance.now() - start);
  }
  move(0, 0);
  scene.halt();
  scene.invalidate();
  return times;
}

/** The one name outside: what tests and curious readers use. */
window.hypgraph = Object.freeze({
  count: data.count,
  edges: data.links.edges.length / 2,
  /** @returns {{radius: number[], direction: number[][], c: number}} of all nodes about the middle of the screen */
  displayed() {
    const { view, frame } = scene, nodes = Array.from({ length: data.count }, (_, i) => i);
    const direction = (i) => (frame.flat ? [] : Array.from(view.shown.direction.subarray(2 * i, 2 * i + 2)));
    return { radius: nodes.map((i) => view.shownRadius(i) / frame.rootC), direction: nodes.map(direction), c: data.c };
  },
  /** @param {number} i @param {number} j @returns {number} the geodesic distance by the data's own coordinates */
  distance: (i, j) => scene.view.distance(i, j) / scene.frame.rootC,
  /** @param {number} i @returns {number[]} pixels from the upper left corner of the picture */
  position(i) {
    scene.project();
    const { xy, width, height } = scene.frame;
    return [xy[2 * i] + width / 2, xy[2 * i + 1] + height / 2];
  },
  /** @returns {number[][]} of all nodes */
  positions() {
    scene.project();
    const { xy, width, height } = scene.frame;
    return Array.from({ length: data.count }, (_, i) => [xy[2 * i] + width / 2, xy[2 * i + 1] + height / 2]);
  },
  centre,
  select,
  timeFrames,
  redraw: () => scene.draw(),
  png: () => pngOf(scene),
  svg: () => svgOf(scene),
  state: () => ({
    renderer: scene.renderer && scene.zoom <= ZOOM_OF_GL ? "webgl" : "canvas", withoutGl: scene.withoutGl || "",
    layout: scene.frame.spread ? "spread" : "disk", zoom: scene.zoom, share: scene.share, selected: scene.selected,
    hovered: scene.hovered, moving: Boolean(scene.running), dark: scene.dark, shows: { ...scene.shows },
    colour: part("colour").value, matches: search.matches.length, dragging: Boolean(controls.drag),
    rgba: Array.from(scene.rgba), links: scene.shownLinks(),
  }),
});
