/* The search: by id or label, suggestions while typing, Enter for one match after the other. */

const SUGGESTIONS = 8;

class Search {
  /** @param {Data} data @param {(node: number) => void} go */
  constructor(data, go) {
    this.data = data;
    this.go = go;
    this.box = part("search");
    this.list = part("suggestions");
    this.matches = [];
    this.at = -1;
    this.box.addEventListener("input", () => this.update());
    this.box.addEventListener("focus", () => this.show());
    this.box.addEventListener("blur", () => this.hide());
    this.box.addEventListener("keydown", (event) => this.onKey(event));
  }

  /** Equal ids before those that begin so, these before those that hold it, and ids before labels. */
  find(words) {
    const wanted = words.trim().toLowerCase(), ranks = [[], [], [], []];
    if (!wanted) return [];
    this.ids = this.ids || this.data.ids.map((id) => id.toLowerCase());
    const labels = this.data.labelNames.map((name) => name.toLowerCase().includes(wanted));
    this.ids.forEach((id, i) => {
      const at = id.indexOf(wanted);
      if (at >= 0) ranks[id === wanted ? 0 : at === 0 ? 1 : 2].push(i);
      else if (this.data.label && labels[this.data.label[i]]) ranks[3].push(i);
    });
    return ranks.flat();
  }

  update() {
    this.matches = this.find(this.box.value);
    this.at = -1;
    this.show();
  }

  show() {
    const first = Math.max(0, Math.min(this.at - SUGGESTIONS + 1, this.matches.length - SUGGESTIONS));
    const shown = this.matches.slice(first, first + SUGGESTIONS);
    this.list.replaceChildren(...shown.map((node, k) => this.option(node, first + k)));
    this.list.hidden = shown.length === 0;
    this.box.setAttribute("aria-expanded", String(shown.length > 0));
    if (this.at >= 0 && shown.length) this.box.setAttribute("aria-activedescendant", `match-${this.at}`);
    else this.box.removeAttribute("aria-activedescendant");
    this.report();
  }

  option(node, place) {
    const option = element("li", ""), label = labelOf(this.data, node);
    option.id = `match-${place}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", String(place === this.at));
    option.append(element("span", this.data.ids[node], "who"), element("span", label, "label"));
    option.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.at = place;
      this.take();
    });
    return option;
  }

  report() {
    const { length } = this.matches, count = part("matches");
    if (!this.box.value.trim()) count.textContent = "";
    else if (length === 0) count.textContent = "No node has this in its id or label.";
    else count.textContent = this.at < 0 ? `${length} found, Enter goes to the first` : `${this.at + 1} of ${length}`;
  }

  hide() {
    this.list.hidden = true;
    this.box.setAttribute("aria-expanded", "false");
  }

  onKey(event) {
    const step = { Enter: event.shiftKey ? -1 : 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") {
      event.stopPropagation();
      this.leave();
    }
    if (!step || this.matches.length === 0) return;
    event.preventDefault();
    this.at = (Math.max(this.at, step < 0 ? 0 : -1) + step + this.matches.length) % this.matches.length;
    if (event.key === "Enter") this.take();
    else this.take(false);
  }

  /** @param {boolean} done whether the suggestions go */
  take(done = true) {
    this.go(this.matches[this.at]);
    this.show();
    if (done) this.hide();
  }

  leave() {
    if (this.list.hidden) {
      this.box.value = "";
      this.update();
      part("over").focus();
    }
    this.hide();
  }
}
