/*
 * The same on the graphics card. Per frame it gets 16 bytes a node, in a texture that all shaders read; edges are two
 * fixed numbers each, and become arcs of circles in the vertex shader.
 */

const WIDE = 2048; // nodes in a row of the texture
const NODE_AT = `
uniform highp sampler2D nodes;
vec4 nodeAt(uint i) { return texelFetch(nodes, ivec2(int(i) & ${WIDE - 1}, int(i) >> 11), 0); }
uniform vec2 half_size; // of the window, in pixels
uniform vec3 spread; // of that layout: the middle in pixels, pixels a length; 0 else
vec2 screen(vec4 at) {
  return spread.z > 0.0 ? spread.xy + spread.z * at.y * vec2(cos(at.x), -sin(at.x)) : at.xy;
}
vec4 place(vec2 xy) { return vec4(xy.x / half_size.x, -xy.y / half_size.y, 0.0, 1.0); }`;

const LINK_VERTEX = `#version 300 es
precision highp float;
${NODE_AT}
uniform float inverse, half_width;
uniform int segments;
in uvec2 ends;
in float weight;
out float along, across, strength;
void main() {
  vec4 a = nodeAt(ends.x), b = nodeAt(ends.y);
  vec2 chord = b.xy - a.xy;
  float size = length(chord);
  if (size < 0.1) { gl_Position = vec4(2.0, 2.0, 0.0, 1.0); return; }
  float turn = atan((a.x * chord.y - a.y * chord.x) * inverse, (a.z + b.z + size * size * inverse) / 2.0);
  float t = 2.0 * float(gl_VertexID >> 1) / float(segments) - 1.0, angle = turn * t, h = size / 2.0;
  bool straight = abs(turn) < 1e-3;
  float s = sin(turn);
  vec2 arc = straight ? vec2(h * t, h * turn * (1.0 - t * t) / 2.0)
                      : vec2(h * sin(angle), 2.0 * h * sin((turn + angle) / 2.0) * sin((turn - angle) / 2.0)) / s;
  vec2 e = chord / size, n = vec2(-e.y, e.x);
  float side = float((gl_VertexID & 1) * 2 - 1), reach = half_width + 0.75;
  vec2 normal = sin(angle) * e + cos(angle) * n;
  along = (t + 1.0) * h * (straight ? 1.0 : turn / s);
  across = side * reach;
  strength = weight;
  gl_Position = place((a.xy + b.xy) / 2.0 + arc.x * e + arc.y * n + side * reach * normal);
}`;

/* As `profile` of the layout "spread" has it, with x and y of a node its angle there and its radius, w its true angle. */
const CURVE_VERTEX = `#version 300 es
precision highp float;
${NODE_AT}
uniform float half_width;
uniform vec2 dash;
uniform int segments;
in uvec2 ends;
in float weight, span;
out float along, across, strength;
float a, b, h, sine, sweep, start;
float log_sinh(float x) {
  float y = max(x, 1e-6);
  return y + log(y < 1e-2 ? 2.0 * y * (1.0 - y) : 1.0 - exp(-2.0 * y)) - 0.6931472;
}
vec2 point(int k) {
  float t = float(k) / float(segments), f = t * t * t * (10.0 - 15.0 * t + 6.0 * t * t), r = k <= 0 ? a : b;
  if (k > 0 && k < segments) {
    float g = 1.0 - f, rf = h < 1e-3 ? f : sin(f * h) / sin(h), rg = h < 1e-3 ? g : sin(g * h) / sin(h);
    vec3 terms = vec3(log(rg * cos(g * h)) - a - log_sinh(a), log(rf * cos(f * h)) - b - log_sinh(b),
                      0.6931472 + log(rf * rg) + sine);
    float most = max(terms.x, max(terms.y, terms.z)), sum = dot(exp(terms - most), vec3(1.0));
    float q = most + log(sum) - log(max(cos(h), 1e-6));
    r = q < -12.0 ? (0.6931472 - q) / 2.0 : log(1.0 + 2.0 * exp(-q)) / 2.0;
  }
  return screen(vec4(start + f * sweep, r, 0.0, 0.0));
}
void main() {
  vec4 from = nodeAt(ends.x), to = nodeAt(ends.y);
  a = max(from.y, 1e-5), b = max(to.y, 1e-5), start = from.x;
  float around = to.w - from.w, both = log_sinh(a) + log_sinh(b);
  sweep = to.x - from.x - (around > 3.1415927 ? 6.2831853 : around < -3.1415927 ? -6.2831853 : 0.0);
  sine = log_sinh((span + a - b) / 2.0) + log_sinh((span - a + b) / 2.0) - both;
  h = atan(exp(sine / 2.0), exp((log_sinh((a + b + span) / 2.0) + log_sinh((a + b - span) / 2.0) - both) / 2.0));
  int k = gl_VertexID >> 1;
  vec2 here = point(k), chord = point(min(k + 1, segments)) - point(max(k - 1, 0));
  float size = length(chord), side = float((gl_VertexID & 1) * 2 - 1), reach = half_width + 0.75;
  along = 0.0;
  if (dash.y > 0.0) {
    vec2 last = point(0);
    for (int i = 1; i <= k; i++) {
      vec2 next = point(i);
      along += distance(last, next);
      last = next;
    }
  }
  across = side * reach;
  strength = weight;
  gl_Position = place(here + side * reach * (size > 0.0 ? vec2(-chord.y, chord.x) / size : vec2(0.0)));
}`;

const LINK_FRAGMENT = `#version 300 es
precision highp float;
uniform vec4 colour;
uniform vec2 dash;
uniform float half_width;
in highp float along, across, strength;
out vec4 pixel;
void main() {
  highp float cover = clamp(half_width + 0.5 - abs(across), 0.0, 1.0) * min(1.0, 2.0 * half_width);
  if (dash.y > 0.0) {
    highp float at = mod(along, dash.x + dash.y);
    cover *= clamp(min(at, dash.x - at) + 0.5, 0.0, 1.0);
  }
  float alpha = colour.a * strength * cover;
  pixel = vec4(colour.rgb * alpha, alpha);
}`;

const NODE_VERTEX = `#version 300 es
precision highp float;
${NODE_AT}
uniform float grown;
in uint node;
in float base;
in vec4 colour;
out vec2 from_middle;
out float radius;
out vec4 fill;
void main() {
  vec4 at = nodeAt(node);
  radius = base * (0.4 + 0.6 * sqrt(at.z)) * grown;
  from_middle = (vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0) * (radius + 1.5);
  fill = colour;
  gl_Position = place(screen(at) + from_middle);
}`;

const NODE_FRAGMENT = `#version 300 es
precision highp float;
uniform vec3 outline;
uniform float line;
in highp vec2 from_middle;
in highp float radius;
in vec4 fill;
out vec4 pixel;
void main() {
  highp float r = length(from_middle);
  float inside = clamp(radius - line + 0.5 - r, 0.0, 1.0), cover = clamp(radius + 0.5 - r, 0.0, 1.0) * fill.a;
  pixel = vec4(mix(outline, fill.rgb, inside) * cover, cover);
}`;

const CIRCLE_VERTEX = `#version 300 es
precision highp float;
${NODE_AT}
uniform float scale, flat_length;
in uint node;
in vec2 hyperbolic; // sinh and cosh of the radius; the radius and 0 in the plane
out vec2 from_middle;
out float radius;
void main() {
  vec4 at = nodeAt(node);
  float whole = 2.0 - at.z + at.z * hyperbolic.y;
  vec2 middle = flat_length > 0.0 ? at.xy : 2.0 * at.xy / whole;
  radius = flat_length > 0.0 ? hyperbolic.x * flat_length : scale * at.z * hyperbolic.x / whole;
  from_middle = (vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0) * (radius + 1.0);
  gl_Position = radius < 0.5 ? vec4(2.0, 2.0, 0.0, 1.0) : place(middle + from_middle);
}`;

const CIRCLE_FRAGMENT = `#version 300 es
precision highp float;
uniform vec3 colour;
in highp vec2 from_middle;
in highp float radius;
out vec4 pixel;
void main() {
  highp float r = length(from_middle);
  float alpha = ${CIRCLE_FILL} * clamp(radius + 0.5 - r, 0.0, 1.0);
  alpha += ${CIRCLE_LINE} * clamp(1.0 - abs(r - radius), 0.0, 1.0);
  pixel = vec4(colour * alpha, alpha);
}`;

/** @param {WebGL2RenderingContext} gl @param {string} vertex @param {string} fragment @returns {WebGLProgram} */
function programOf(gl, vertex, fragment) {
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
  return program;
}

/** One kind of shapes: a program, its buffers, the places of its uniforms. */
class Batch {
  /** @param {WebGL2RenderingContext} gl @param {string} vertex @param {string} fragment */
  constructor(gl, vertex, fragment) {
    this.gl = gl;
    this.program = programOf(gl, vertex, fragment);
    this.state = gl.createVertexArray();
    this.places = new Map();
    this.buffers = new Map();
  }

  /** @param {string} name @returns {WebGLUniformLocation} */
  at(name) {
    if (!this.places.has(name)) this.places.set(name, this.gl.getUniformLocation(this.program, name));
    return this.places.get(name);
  }

  /** One value an instance. @param {string} name @param {ArrayBufferView} array @param {number} size */
  set(name, array, size) {
    const { gl } = this, at = gl.getAttribLocation(this.program, name);
    gl.bindVertexArray(this.state);
    if (!this.buffers.has(name)) this.buffers.set(name, gl.createBuffer());
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers.get(name));
    gl.bufferData(gl.ARRAY_BUFFER, array, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(at);
    if (array instanceof Uint32Array) gl.vertexAttribIPointer(at, size, gl.UNSIGNED_INT, 0, 0);
    else if (array instanceof Uint8Array) gl.vertexAttribPointer(at, size, gl.UNSIGNED_BYTE, true, 0, 0);
    else gl.vertexAttribPointer(at, size, gl.FLOAT, false, 0, 0);
    gl.vertexAttribDivisor(at, 1);
    gl.bindVertexArray(null);
  }

  /** @param {number} vertices @param {number} instances */
  draw(vertices, instances) {
    this.gl.bindVertexArray(this.state);
    this.gl.drawArraysInstanced(this.gl.TRIANGLE_STRIP, 0, vertices, instances);
    this.gl.bindVertexArray(null);
  }
}

/** Draws a scene on a canvas. */
class GlRenderer {
  /** @param {HTMLCanvasElement} canvas @param {Scene} scene @throws {Error} where there is no WebGL 2 */
  constructor(canvas, scene) {
    const gl = canvas.getContext("webgl2", { antialias: false, premultipliedAlpha: true, alpha: true });
    if (!gl) throw new Error("no WebGL 2");
    this.gl = gl;
    this.canvas = canvas;
    this.scene = scene;
    this.loadNodes();
    this.links = Object.fromEntries(Object.keys(LINKS).map((kind) => [kind, this.linkBatch(kind, LINK_VERTEX)]));
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  loadNodes() {
    const { gl, scene } = this, { data, order } = scene, rows = Math.max(1, Math.ceil(data.count / WIDE));
    this.texels = new Float32Array(4 * WIDE * rows);
    this.rows = rows;
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, WIDE, rows);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    this.nodes = new Batch(gl, NODE_VERTEX, NODE_FRAGMENT);
    this.nodes.set("node", order, 1);
    this.nodes.set("base", Float32Array.from(order, (i) => scene.base[i]), 1);
    this.recolour();
    if (!data.scale) return;
    this.circles = new Batch(gl, CIRCLE_VERTEX, CIRCLE_FRAGMENT);
    this.circles.set("node", order, 1);
    const both = Array.from(order, (i) => data.scale[i] * scene.frame.rootC);
    const pair = scene.frame.flat ? (rho) => [rho, 0] : (rho) => [Math.sinh(rho), Math.cosh(rho)];
    this.circles.set("hyperbolic", Float32Array.from(both.flatMap(pair)), 2);
  }

  /** The lines of a kind in the layout "spread", made when they are first shown. */
  curveBatch(kind) {
    this.curves = this.curves || {};
    if (!this.curves[kind]) {
      this.curves[kind] = this.linkBatch(kind, CURVE_VERTEX);
      this.curves[kind].set("span", Float32Array.from(this.scene.lengths(kind)), 1);
    }
    return this.curves[kind];
  }

  linkBatch(kind, vertex) {
    const { gl, scene } = this, batch = new Batch(gl, vertex, LINK_FRAGMENT);
    const pairs = scene.data.links[kind], count = pairs.length / 2;
    batch.set("ends", Uint32Array.from(pairs), 2);
    const weight = (_, k) => (kind === "predicted" ? scene.certainty(k) : 1);
    batch.set("weight", Float32Array.from({ length: count }, weight), 1);
    return batch;
  }

  /** Takes over the colours of the scene. */
  recolour() {
    const { order, rgba } = this.scene, colours = new Uint8Array(rgba.length);
    for (let k = 0; k < order.length; k++)
      for (let part = 0; part < 4; part++) colours[4 * k + part] = rgba[4 * order[k] + part];
    this.nodes.set("colour", colours, 4);
  }

  /** Straight pieces of an arc: fewer where there are many edges, more where they are enlarged. */
  segments(count) {
    const plain = count > 20000 ? 8 : count > 4000 ? 12 : 24;
    return this.scene.frame.flat ? 1 : Math.min(64, Math.round(plain * Math.max(1, this.scene.zoom)));
  }

  clear() {
    this.gl.clearColor(0, 0, 0, 0);
    this.gl.clear(this.gl.COLOR_BUFFER_BIT);
  }

  draw() {
    const { gl, scene } = this;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    this.clear();
    this.upload();
    if (scene.showsCircles()) this.drawCircles();
    for (const kind of scene.shownLinks()) this.drawLinks(kind);
    this.drawNodes();
  }

  upload() {
    const { gl, texels } = this, { xy, gap, spread } = this.scene.frame;
    for (let i = 0; i < gap.length; i++) {
      texels[4 * i] = spread ? spread.image[i] : xy[2 * i];
      texels[4 * i + 1] = spread ? spread.radius[i] : xy[2 * i + 1];
      texels[4 * i + 2] = gap[i];
      texels[4 * i + 3] = spread ? spread.angle[i] : 0;
    }
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, WIDE, this.rows, gl.RGBA, gl.FLOAT, texels);
  }

  /** @param {Batch} batch */
  use(batch) {
    const { width, height, spread, middle, perLength } = this.scene.frame;
    this.gl.useProgram(batch.program);
    this.gl.uniform3f(batch.at("spread"), middle.x, middle.y, spread ? perLength : 0);
    this.gl.uniform2f(batch.at("half_size"), width / 2, height / 2);
  }

  drawCircles() {
    const { gl, circles, scene } = this, { frame } = scene;
    this.use(circles);
    gl.uniform1f(circles.at("scale"), frame.scale);
    gl.uniform1f(circles.at("flat_length"), frame.flat ? frame.perLength : 0);
    gl.uniform3fv(circles.at("colour"), scene.palette.sigma);
    circles.draw(4, scene.data.count);
  }

  drawLinks(kind) {
    const { gl, scene } = this, { spread } = scene.frame, batch = spread ? this.curveBatch(kind) : this.links[kind];
    const style = LINKS[kind], count = scene.data.links[kind].length / 2;
    const segments = spread ? spreadPieces(count) : this.segments(count), colour = scene.palette[kind === "edges" ? "edge" : kind];
    this.use(batch);
    gl.uniform1f(batch.at("inverse"), scene.frame.inverse);
    gl.uniform1f(batch.at("half_width"), style.width / 2);
    gl.uniform1i(batch.at("segments"), segments);
    gl.uniform2f(batch.at("dash"), style.dash[0] || 0, style.dash[1] || 0);
    gl.uniform4f(batch.at("colour"), ...colour, linkAlpha(kind, count));
    batch.draw(2 * (segments + 1), scene.drawnLinks(kind));
  }

  drawNodes() {
    const { gl, nodes, scene } = this;
    this.use(nodes);
    gl.uniform1f(nodes.at("grown"), shownSize(1, 1, scene.zoom));
    gl.uniform3fv(nodes.at("outline"), scene.palette.outline);
    gl.uniform1f(nodes.at("line"), scene.data.count > 3000 ? 0.4 : 0.8);
    nodes.draw(4, scene.data.count);
  }
}
