/* The picture as a file: PNG at twice the resolution of the screen, SVG of true circular arcs. */

const PNG_SCALE = 2;

/** @param {Scene} scene @returns {Promise<Blob>} */
function pngOf(scene) {
  const canvas = document.createElement("canvas"), { width, height } = scene.frame;
  canvas.width = Math.round(PNG_SCALE * width);
  canvas.height = Math.round(PNG_SCALE * height);
  const to = canvas.getContext("2d");
  to.fillStyle = scene.theme.background;
  to.fillRect(0, 0, canvas.width, canvas.height);
  to.setTransform(PNG_SCALE, 0, 0, PNG_SCALE, canvas.width / 2, canvas.height / 2);
  scene.share = 1;
  scene.project();
  drawGround(to, scene);
  drawScene(to, scene);
  scene.labels.draw(to);
  if (scene.frame.spread) drawNote(to, scene);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/** What the panel says of the layout "spread", in the picture. */
function drawNote(to, { frame, theme }) {
  to.font = `12px ${FONT}`;
  to.textAlign = "center";
  to.textBaseline = "bottom";
  to.lineJoin = "round";
  to.strokeStyle = theme.background;
  to.lineWidth = 4;
  to.fillStyle = theme.ringText;
  to.strokeText(SPREAD_NOTE, 0, frame.height / 2 - 8);
  to.fillText(SPREAD_NOTE, 0, frame.height / 2 - 8);
}

function svgNote({ frame, theme }) {
  const style = `fill="${theme.ringText}" stroke="${theme.background}" stroke-width="4" paint-order="stroke" font-size="12"`;
  return `<text y="${px(frame.height / 2 - 10)}" text-anchor="middle" ${style} font-family="${xml(FONT)}">${SPREAD_NOTE}</text>`;
}

/** @param {string} text @returns {string} for XML: escaped, without the marks that it does not allow */
function xml(text) {
  const allowed = text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd");
  return allowed.replace(/[<>&"]/g, (mark) => `&#${mark.charCodeAt(0)};`);
}

/** @param {number} value @returns {string} pixels */
function px(value) {
  return Number(value.toFixed(3)).toString();
}

/** @param {Scene} scene @returns {string} a path an edge, a circle a node */
function svgOf(scene) {
  const { frame, theme, data } = scene, { width, height } = frame;
  scene.project();
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${px(width)}" height="${px(height)}" ` +
      `viewBox="${px(-width / 2)} ${px(-height / 2)} ${px(width)} ${px(height)}">`,
    `<title>${xml(data.title)}</title>`,
    `<rect x="${px(-width / 2)}" y="${px(-height / 2)}" width="100%" height="100%" fill="${theme.background}"/>`,
    ...svgGround(scene),
    ...(scene.showsCircles() ? svgCircles(scene) : []),
    ...scene.shownLinks().flatMap((kind) => svgLinks(scene, kind)),
    ...svgNodes(scene),
    ...svgNames(scene),
    ...(frame.spread ? [svgNote(scene)] : []),
    "</svg>",
  ];
  return parts.join("\n");
}

function svgGround({ frame, theme, shows }) {
  const about = `cx="${px(frame.middle.x)}" cy="${px(frame.middle.y)}"`, margin = frame.spread ? SPREAD_MARGIN : 0;
  const disk = (fill, stroke) =>
    `<circle ${about} r="${px(frame.scale + margin)}" fill="${fill}" stroke="${stroke}" stroke-width="1.25"/>`;
  const circles = shows.rings ? rings(frame).map(({ radius }) => `<circle ${about} r="${px(radius)}"/>`) : [];
  const inner = [`<g fill="none" stroke="${theme.ring}">`, ...circles, "</g>"];
  if (frame.flat) return inner;
  return [disk(theme.disk, "none"), ...inner, ...(frame.spread ? [] : [disk("none", theme.boundary)])];
}

function svgCircles({ data, frame, theme }) {
  const circles = Array.from({ length: data.count }, (_, i) => circleAbout(frame, i, data.scale[i] * frame.rootC));
  const style = `fill="${theme.sigma}" fill-opacity="${CIRCLE_FILL}" stroke="${theme.sigma}" stroke-opacity="${CIRCLE_LINE}"`;
  return [`<g ${style}>`,
          ...circles.map(({ x, y, radius }) => `<circle cx="${px(x)}" cy="${px(y)}" r="${px(radius)}"/>`), "</g>"];
}

function svgLinks(scene, kind) {
  const { frame, theme, data } = scene, pairs = data.links[kind], style = LINKS[kind], count = pairs.length / 2;
  const dash = style.dash.length ? ` stroke-dasharray="${style.dash.join(" ")}"` : "";
  const lengths = frame.spread && scene.lengths(kind), pieces = spreadPieces(count);
  const line = (i, j, k) => (lengths ? svgPoints(spreadCurve(frame, i, j, lengths[k], pieces)) : svgArc(geodesic(frame, i, j)));
  const paths = Array.from({ length: count }, (_, k) => {
    const alpha = kind === "predicted" ? ` stroke-opacity="${px(linkAlpha(kind, count) * scene.certainty(k))}"` : "";
    return `<path d="${line(pairs[2 * k], pairs[2 * k + 1], k)}"${alpha}/>`;
  });
  const colour = theme[kind === "edges" ? "edge" : kind], alpha = px(linkAlpha(kind, count));
  return [`<g class="${kind}" fill="none" stroke="${colour}" stroke-width="${style.width}" stroke-opacity="${alpha}"${dash}>`,
          ...paths, "</g>"];
}

/** @param {object} arc of `geodesic` @returns {string} */
function svgArc({ x1, y1, x2, y2, radius, left }) {
  const start = `M${px(x1)} ${px(y1)}`;
  if (radius === 0) return `${start}L${px(x2)} ${px(y2)}`;
  return `${start}A${px(radius)} ${px(radius)} 0 0 ${left ? 0 : 1} ${px(x2)} ${px(y2)}`;
}

/** @param {Float64Array} points @returns {string} */
function svgPoints(points) {
  let path = "";
  for (let k = 0; k < points.length; k += 2) path += `${k ? "L" : "M"}${px(points[k])} ${px(points[k + 1])}`;
  return path;
}

function svgNodes({ data, frame, theme, rgba, base, order, zoom }) {
  const circles = Array.from(order, (i) => {
    const place = `cx="${px(frame.xy[2 * i])}" cy="${px(frame.xy[2 * i + 1])}"`, alpha = rgba[4 * i + 3] / 255;
    const opacity = alpha < 1 ? ` opacity="${px(alpha)}"` : "", fill = hex(Array.from(rgba.subarray(4 * i, 4 * i + 3)));
    return `<circle ${place} r="${px(shownSize(base[i], frame.gap[i], zoom))}" fill="${fill}"${opacity}/>`;
  });
  const outline = `stroke="${theme.outline}" stroke-width="${data.count > 3000 ? 0.5 : 1}"`;
  return [`<g ${outline}>`, ...circles, "</g>"];
}

/** The names that the screen shows: the labels draw on what writes them down. */
function svgNames(scene) {
  const names = [], measure = document.createElement("canvas").getContext("2d");
  const pen = {
    measureText: (text) => {
      measure.font = pen.font;
      return measure.measureText(text);
    },
    fillText: (text, x, y) =>
      names.push(`<text x="${px(x)}" y="${px(y)}" font-weight="${pen.font.split(" ")[0]}" font-size="${parseFloat(pen.font.slice(4))}">` +
                 `${xml(text)}</text>`),
    beginPath() {}, stroke() {}, strokeText() {},
    arc: (x, y, radius) =>
      names.push(`<circle cx="${px(x)}" cy="${px(y)}" r="${px(radius)}" fill="none" stroke="${scene.theme.accent}" stroke-width="2"/>`),
  };
  scene.labels.draw(pen);
  const { text, halo } = scene.theme;
  const style = `fill="${text}" stroke="${halo}" stroke-width="3" paint-order="stroke" stroke-linejoin="round" dominant-baseline="central"`;
  return [`<g ${style} font-family="${xml(FONT)}">`, ...names, "</g>"];
}

/** @param {Blob} blob @param {string} name  offers the file */
function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
