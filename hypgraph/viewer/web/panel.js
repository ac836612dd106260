/* The panel: title, colours and their legend, what is shown, themes. */

/** @param {string} id @returns {HTMLElement} */
function part(id) {
  return document.getElementById(id);
}

class Panel {
  /** @param {Scene} scene */
  constructor(scene) {
    this.scene = scene;
    this.only = null;
    this.writeTitle();
    this.makeColours();
    this.makeToggles();
    this.makeLayout();
    this.makeTheme();
  }

  writeTitle() {
    const { data } = this.scene;
    document.title = data.title;
    part("title").textContent = data.title;
    for (const line of data.subtitle) part("subtitle").append(element("p", line));
    const edges = data.links.edges.length / 2, plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
    const space = data.c > 0 ? `hyperbolic, curvature −${short(data.c)}` : "Euclidean plane";
    part("subtitle").append(element("p", `${plural(data.count, "node")} · ${plural(edges, "edge")} · ${space}`));
    if (data.projected)
      part("subtitle").append(element("p", "A projection: lengths in the picture are not those of the embedding."));
  }

  makeColours() {
    const choice = part("colour"), names = colouringsOf(this.scene.data);
    for (const name of [...names, ""]) {
      const option = element("option", name ? COLOURINGS[name] : "One colour");
      option.value = name;
      choice.append(option);
    }
    choice.addEventListener("change", () => {
      this.only = null;
      this.recolour();
    });
  }

  /** Colours and legend, in the theme of now. */
  recolour() {
    const legend = this.scene.colourBy(part("colour").value, this.only);
    part("legend").replaceChildren(...(legend ? this.legend(legend) : []));
  }

  legend(legend) {
    if (legend.kind === "categories") return legend.entries.map((entry) => this.category(entry));
    const bar = document.createElement("div"), ends = element("div", "", "ends");
    bar.className = "bar";
    bar.style.background = `linear-gradient(90deg, ${legend.stops.join(", ")})`;
    ends.append(element("span", short(legend.low)), element("span", legend.log ? "logarithmic" : ""),
                element("span", short(legend.high)));
    return [bar, ends];
  }

  /** A button that shows its category alone. */
  category({ name, colour, labels, count }) {
    const button = element("button", "", "category"), swatch = element("span", "", "swatch");
    const alone = this.only !== null && this.only.has(labels[0]);
    swatch.style.background = colour;
    button.type = "button";
    button.setAttribute("aria-pressed", String(alone));
    button.append(swatch, element("span", name, "who"), element("span", count.toLocaleString("en"), "number"));
    button.addEventListener("click", () => {
      this.only = alone ? null : new Set(labels);
      const place = Array.from(part("legend").children).indexOf(button);
      this.recolour();
      part("legend").children[place].focus();
    });
    return button;
  }

  makeToggles() {
    const { scene } = this, { data } = scene;
    for (const box of document.querySelectorAll("[data-shows]")) {
      const name = box.dataset.shows;
      const there = name in LINKS ? data.links[name].length > 0 : name === "scale" ? data.scale && data.scale.some((s) => s > 0) : true;
      box.closest("label").hidden = !there;
      box.checked = scene.shows[name];
      box.addEventListener("change", () => {
        scene.shows[name] = box.checked;
        scene.invalidate();
      });
      if (name in LINKS) box.closest("label").querySelector(".number").textContent = (data.links[name].length / 2).toLocaleString("en");
    }
  }

  makeLayout() {
    part("layout").hidden = this.scene.frame.flat;
    part("layout-note").textContent = SPREAD_NOTE;
    for (const box of document.querySelectorAll("[name=layout]")) {
      box.checked = box.value === this.scene.data.layout;
      box.addEventListener("change", () => this.useLayout(box.value));
    }
    this.showLayout(this.scene.data.layout);
  }

  /** What the layout "spread" is not, and what is not in it. */
  showLayout(layout) {
    const spread = layout === "spread", box = document.querySelector("[data-shows=scale]");
    part("layout-note").hidden = !spread;
    box.disabled = spread;
    box.closest("label").title = spread ? "Drawn in the Poincaré disk alone" : "";
  }

  /** @param {string} layout */
  useLayout(layout) {
    this.scene.useLayout(layout);
    this.showLayout(layout);
    part("live").textContent = layout === "spread" ? `Spread out. ${SPREAD_NOTE}` : "Poincaré disk.";
  }

  toggleLayout() {
    if (this.scene.frame.flat) return;
    const layout = this.scene.frame.spread ? "disk" : "spread";
    part(`layout-${layout}`).checked = true;
    this.useLayout(layout);
  }

  makeTheme() {
    const system = window.matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", () => this.useTheme(system.matches));
    part("theme").addEventListener("click", () => this.useTheme(!this.scene.dark));
    this.useTheme(system.matches);
  }

  /** @param {boolean} dark */
  useTheme(dark) {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    part("theme").setAttribute("aria-pressed", String(dark));
    this.scene.useTheme(dark);
    this.recolour();
  }

  /** @param {number} node  the one that is selected, or -1 @param {(node: number) => void} go */
  showNode(node, go) {
    part("node").hidden = node < 0;
    part("node-details").replaceChildren(...(node < 0 ? [] : detailsOf(this.scene, node, go)));
  }
}
