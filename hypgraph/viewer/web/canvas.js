/* Everything on a two-dimensional canvas: where WebGL is absent, at high zoom, and for pictures. */

const FONT = 'system-ui, -apple-system, "Segoe UI", "Helvetica Neue", "Liberation Sans", Arial, sans-serif';
const CIRCLE_FILL = 0.06, CIRCLE_LINE = 0.3; // how much of the ground a circle of σ covers

/** @param {CanvasRenderingContext2D} to @param {Scene} scene  the disk and its rings */
function drawGround(to, scene) {
  const { frame, theme } = scene;
  if (!frame.flat) {
    disc(to, 0, 0, frame.scale);
    to.fillStyle = theme.disk;
    to.fill();
  }
  if (scene.shows.rings) drawRings(to, frame, theme);
  if (frame.flat) return;
  disc(to, 0, 0, frame.scale);
  to.strokeStyle = theme.boundary;
  to.lineWidth = 1.25;
  to.stroke();
}

/** @param {CanvasRenderingContext2D} to @param {number} x @param {number} y @param {number} radius */
function disc(to, x, y, radius) {
  to.beginPath();
  to.arc(x, y, radius, 0, 2 * Math.PI);
}

function drawRings(to, frame, theme) {
  to.font = `11px ${FONT}`;
  to.textAlign = "center";
  to.textBaseline = "middle";
  for (const { length, radius } of rings(frame)) {
    disc(to, 0, 0, radius);
    to.strokeStyle = theme.ring;
    to.lineWidth = 1;
    to.stroke();
    const text = short(length), x = radius * Math.SQRT1_2, width = to.measureText(text).width + 6;
    to.fillStyle = frame.flat ? theme.background : theme.disk;
    to.fillRect(x - width / 2, x - 7, width, 14);
    to.fillStyle = theme.ringText;
    to.fillText(text, x, x);
  }
}

/** @param {CanvasRenderingContext2D} to @param {Scene} scene */
function drawScene(to, scene) {
  if (scene.shows.scale) drawCircles(to, scene);
  for (const kind of scene.shownLinks()) drawLinks(to, scene, kind);
  drawNodes(to, scene);
}

function drawCircles(to, { data, frame, theme }) {
  to.strokeStyle = theme.sigma;
  to.fillStyle = theme.sigma;
  to.lineWidth = 1;
  for (let i = 0; i < data.count; i++) {
    const { x, y, radius } = circleAbout(frame, i, data.scale[i] * frame.rootC);
    if (radius < 0.5 || Math.hypot(x, y) - radius > frame.corner) continue;
    disc(to, x, y, radius);
    to.globalAlpha = CIRCLE_FILL;
    to.fill();
    to.globalAlpha = CIRCLE_LINE;
    to.stroke();
  }
  to.globalAlpha = 1;
}

function drawLinks(to, scene, kind) {
  const { frame, theme } = scene, pairs = scene.data.links[kind], style = LINKS[kind];
  const batch = kind === "predicted" ? 2 : 256; // one path of all lines would be slow, one a line slower
  const last = 2 * scene.drawnLinks(kind);
  to.strokeStyle = theme[kind === "edges" ? "edge" : kind];
  to.lineWidth = style.width;
  to.setLineDash(style.dash);
  const alpha = linkAlpha(kind, pairs.length / 2);
  for (let from = 0; from < last; from += batch) {
    to.beginPath();
    to.globalAlpha = kind === "predicted" ? alpha * scene.certainty(from / 2) : alpha;
    for (let k = from; k < Math.min(from + batch, last); k += 2) {
      const arc = geodesic(frame, pairs[k], pairs[k + 1]);
      if (isOutside(arc, frame.corner)) continue;
      to.moveTo(arc.x1, arc.y1);
      traceArc(to, arc);
    }
    to.stroke();
  }
  to.setLineDash([]);
  to.globalAlpha = 1;
}

/** An arc of less than half a circle stays in the circle about its chord. @returns {boolean} whether that is hidden */
function isOutside({ x1, y1, x2, y2 }, corner) {
  const half = Math.hypot(x2 - x1, y2 - y1) / 2;
  return half < 0.05 || Math.hypot(x1 + x2, y1 + y2) / 2 - half > corner;
}

function traceArc(to, arc) {
  if (arc.radius === 0) {
    to.lineTo(arc.x2, arc.y2);
    return;
  }
  const from = Math.atan2(arc.y1 - arc.y, arc.x1 - arc.x), until = Math.atan2(arc.y2 - arc.y, arc.x2 - arc.x);
  to.arc(arc.x, arc.y, arc.radius, from, until, arc.left);
}

function drawNodes(to, { data, frame, theme, rgba, base, order, zoom }) {
  to.strokeStyle = theme.outline;
  to.lineWidth = data.count > 3000 ? 0.5 : 1;
  for (let k = 0; k < data.count; k++) {
    const i = order[k], x = frame.xy[2 * i], y = frame.xy[2 * i + 1];
    if (Math.abs(x) > frame.corner || Math.abs(y) > frame.corner) continue;
    disc(to, x, y, shownSize(base[i], frame.gap[i], zoom));
    to.globalAlpha = rgba[4 * i + 3] / 255;
    to.fillStyle = `rgb(${rgba[4 * i]},${rgba[4 * i + 1]},${rgba[4 * i + 2]})`;
    to.fill();
    to.stroke();
  }
  to.globalAlpha = 1;
}
