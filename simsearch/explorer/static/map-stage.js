// The stage: points, with pictures and names over them, as the camera sees them; and the artwork under the pointer.

import { Camera, WHOLE } from "./map-camera.js";
import { Grid } from "./map-grid.js";
import { Hands } from "./map-hands.js";
import { Overlay } from "./map-overlay.js";
import { Pictures } from "./map-pictures.js";
import { PlainPoints } from "./map-plain.js";
import { onGraphicsCard } from "./map-points.js";
import { overlap, Regions } from "./map-regions.js";
import { element } from "./map-elements.js";
import { clauseOf, Turns } from "./requests.js";

/** @import { Filter } from './map-filter.js' */
/** @import { Shown } from './map-regions.js' */
/** @import { Card, Facet, MapRegions, Source } from './map-source.js' */
/** @typedef {(kind: string, words: string, again: () => unknown) => void} Trouble */

const GLIDE = 900; // milliseconds in which points go to their places on another map
const REACH = 22; // pixels from the hand to an artwork
const MOST_PIXELS = 2; // per point of the screen: more is not seen and costs frames
const NAMED_PICTURES = 24; // regions with a picture
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const dark = matchMedia("(prefers-color-scheme: dark)");

export class Stage {
  home = WHOLE; // where the map opens
  /** @type {HTMLCanvasElement} */
  #canvas;
  /** @type {NonNullable<ReturnType<typeof onGraphicsCard>> | PlainPoints} */
  #points;
  /** @type {Overlay} */
  #overlay;
  /** @type {Pictures} */
  #pictures;
  /** @type {HTMLElement} */
  #tip;
  /** @type {Source} */
  #source;
  /** @type {() => void} */
  #moved;
  /** @type {Trouble} */
  #trouble;
  #tips = new Turns();
  #opening = new Turns();
  /** @type {(area: { corners: number[] }) => void} */
  #drawn;
  #on = new Uint8Array();
  #some = false;
  /** @type {Grid | null} */
  #grid = null;
  /** @type {Regions | null} */
  #regions = null;
  /** @type {Shown[]} */
  #seen = []; // regions as they are written now
  /** @type {((number: number) => string) | null} */
  #frame = null; // colour of an artwork's frame
  /** @type {{ begun: number, from: Uint16Array | null }} */
  #glide = { begun: 0, from: null };
  #asked = false;
  #hover = -1;
  #wanted = -1;
  /** @type {number[] | null} */
  #kept = null; // corners of the area selected
  /** @type {number[] | null} */
  #drawing = null; // corners on the screen, of one being drawn
  #keyboard = false;

  /**
   * @param {{ canvas: HTMLCanvasElement, points: HTMLCanvasElement, tip: HTMLElement, source: Source,
   *   moved: () => void,
   *   drawn: (area: { corners: number[] }) => void, say: (words: string) => void, trouble: Trouble }} parts
   */
  constructor({ canvas, points, tip, source, moved, drawn, say, trouble }) {
    this.camera = new Camera(() => {
      moved();
      this.draw();
    });
    [this.#canvas, this.#tip, this.#source, this.#moved, this.#drawn, this.#trouble] = [
      canvas,
      tip,
      source,
      moved,
      drawn,
      trouble,
    ];
    this.#points = onGraphicsCard(points) ?? new PlainPoints(points);
    this.#overlay = new Overlay(canvas);
    this.#pictures = new Pictures(
      source,
      () => this.draw(),
      (error, again) => trouble("pictures", `The pictures on the map cannot be shown: ${clauseOf(error)}.`, again),
    );
    this.hands = new Hands(canvas, this.camera, {
      hover: (x, y) => this.#over(x, y),
      leave: () => this.#show(-1),
      open: (x, y, touch, keyboard) => this.#open(x, y, touch, keyboard),
      draw: (corners, finished) => this.#draw(corners, finished),
      say,
    });
    canvas.addEventListener("focus", () => {
      this.#keyboard = canvas.matches(":focus-visible");
      this.draw();
    });
    canvas.addEventListener("blur", () => {
      this.#keyboard = false;
      this.draw();
    });
    new ResizeObserver(() => this.draw()).observe(canvas);
    dark.addEventListener("change", () => this.draw());
  }

  /**
   * Moves the artworks to `places` in a glide.
   * @param {Uint16Array<ArrayBuffer>} places
   */
  show(places) {
    const from = this.#grid?.places;
    this.#grid = new Grid(places);
    this.#points.places = places;
    this.#points.before = from ?? places;
    this.#glide = { begun: performance.now(), from: from && !calm.matches ? from : null };
    if (!this.#on.length) {
      this.#on = new Uint8Array(places.length / 2).fill(1);
      this.#points.on = this.#on;
      this.#points.colours = new Uint8Array(places.length * 2).map((_, i) => (i % 4 === 3 ? 255 : 120));
    }
    this.#regions = null;
    this.draw();
  }

  /**
   * Names the map's regions. A camera that was neither moved nor placed by an address starts where the map
   * says.
   * @param {MapRegions} named
   * @param {Facet[]} facets
   */
  name({ home, regions }, facets, placed = false) {
    this.#regions = new Regions(regions, facets, home[2]);
    if (!placed && this.camera.isAt(...this.home)) this.camera.go(...home);
    this.home = home;
    this.draw();
  }

  /** @param {Filter} filter */
  filter(filter) {
    [this.#on, this.#some] = [filter.on, filter.active];
    this.#points.on = this.#on;
    this.draw();
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} colours
   * @param {((number: number) => string) | null} frame
   */
  colour(colours, frame) {
    this.#points.colours = colours;
    this.#frame = frame;
    this.draw();
  }

  /** @param {number[] | null} corners */
  outline(corners) {
    this.#kept = corners;
    this.draw();
  }

  /**
   * Marks an artwork with a ring and moves there, unless an address has placed the camera.
   * @param {number} number
   * @param {boolean} placed
   */
  want(number, placed) {
    const places = this.#grid?.places;
    if (!places || !(number < places.length / 2)) return;
    this.#wanted = number;
    if (!placed) this.camera.go(places[2 * number] / 65535, places[2 * number + 1] / 65535, 5);
  }

  /**
   * The first `most` of `numbers` from the middle, and how many there are.
   * @param {ArrayLike<number>} numbers
   * @param {number} most
   */
  nearest(numbers, most) {
    return { numbers: this.#grid?.nearestOf(numbers, ...this.camera.middle, most) ?? [], total: numbers.length };
  }

  regions() {
    return this.#seen;
  }

  draw() {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame((now) => {
      this.#asked = false;
      if (!this.#grid) return;
      const flying = this.camera.fly(now);
      const glide = this.#glide.from ? Math.min(1, (now - this.#glide.begun) / GLIDE) : 1;
      this.#paint(this.#grid, glide * glide * (3 - 2 * glide), glide >= 1);
      if (glide >= 1) this.#glide.from = null;
      if (flying) this.#moved();
      if (flying || glide < 1) this.draw();
    });
  }

  /**
   * @param {Grid} grid
   * @param {number} glide
   * @param {boolean} still
   */
  #paint(grid, glide, still) {
    const { camera } = this;
    [camera.width, camera.height] = [this.#canvas.clientWidth, this.#canvas.clientHeight];
    const ratio = Math.min(MOST_PIXELS, devicePixelRatio || 1);
    const crowd = this.#on.length > 20_000 ? 1.7 : this.#on.length > 3000 ? 2.6 : 4.5;
    const size = Math.min(11, crowd * Math.sqrt(Math.max(1, camera.scale)));
    this.#points.draw(camera, { glide, size, ratio, some: this.#some, dark: dark.matches });
    this.#overlay.begin(camera, ratio, coloursOf());
    if (this.#kept && still)
      this.#overlay.area(this.#kept.flatMap((_, i, all) => (i % 2 ? [] : camera.toScreen(all[i], all[i + 1]))));
    if (still) this.#hang(grid);
    this.#ring(grid, this.#wanted, 17, coloursOf().link);
    this.#ring(grid, this.#hover, 11);
    if (this.#drawing) this.#overlay.area(this.#drawing, this.hands.mode === "lasso");
    if (this.#keyboard) this.#overlay.cross(camera.width / 2, camera.height / 2);
  }

  /**
   * Pictures that have room, else the regions' own, and the names.
   * @param {Grid} grid
   */
  #hang(grid) {
    const { camera } = this;
    const hung = this.#pictures.hung(camera, grid, this.#on);
    for (const { number, x, y, side } of hung) {
      const image = this.#pictures.image(number, side > 80);
      if (image) this.#overlay.picture(image, x, y, side, this.#frame?.(number));
    }
    const alone = !hung.length;
    this.#seen = this.#regions?.inSight(camera, this.#overlay.width, alone) ?? [];
    if (hung.length > 40) this.#seen = this.#seen.slice(0, 6);
    this.#seen.forEach((region, i) => {
      const image =
        alone && i < NAMED_PICTURES && this.#on[region.central] ? this.#pictures.image(region.central) : null;
      this.#overlay.region(region, image);
    });
    this.#pictures.need([
      ...hung.map((picture) => picture.number),
      ...this.#seen.slice(0, NAMED_PICTURES).map((region) => region.central),
    ]);
  }

  /**
   * @param {Grid} grid
   * @param {number} number
   * @param {number} radius
   * @param {string} [colour]
   */
  #ring(grid, number, radius, colour) {
    if (number < 0) return;
    const [x, y] = this.camera.toScreen(grid.places[2 * number] / 65535, grid.places[2 * number + 1] / 65535);
    this.#overlay.ring(x, y, radius, colour);
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  #under(x, y, far = false) {
    if (!this.#grid) return -1;
    const [left, top] = this.camera.toMap(x, y);
    return far
      ? this.#grid.nearestOfAll(left, top, this.#on)
      : this.#grid.nearest(left, top, REACH / this.camera.unit, this.#on);
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  #over(x, y) {
    const number = this.#under(x, y);
    this.#show(number, x, y);
  }

  /** @param {number} number */
  async #show(number, x = 0, y = 0) {
    if (number !== this.#hover) {
      this.#hover = number;
      this.draw();
    }
    const current = this.#tips.begin();
    this.#tip.hidden = number < 0 || this.#tip.dataset.number !== String(number);
    if (number < 0) return;
    if (this.#tip.hidden) {
      try {
        await this.#source.know([number]);
      } catch (error) {
        if (!current()) return;
        this.#tip.replaceChildren(
          element("span", { className: "error" }, `This artwork cannot be shown: ${clauseOf(error)}.`),
        );
        delete this.#tip.dataset.number;
        this.#tip.hidden = false;
        return this.#place(x, y);
      }
      if (!current()) return;
      const card = /** @type {Card} */ (this.#source.card(number));
      this.#tip.replaceChildren(
        element("img", { src: card.picture, alt: "" }),
        element("cite", {}, card.title),
        element("span", {}, card.by),
      );
      this.#tip.dataset.number = String(number);
      this.#tip.hidden = false;
    }
    this.#place(x, y);
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  #place(x, y) {
    const left = Math.min(x + 16, this.camera.width - this.#tip.offsetWidth - 4);
    const top = Math.min(y + 16, this.camera.height - this.#tip.offsetHeight - 4);
    this.#tip.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {boolean} touch
   * @param {boolean} [keyboard]
   */
  async #open(x, y, touch, keyboard) {
    const number = this.#under(x, y, keyboard);
    if (number < 0) {
      // A name leads nearer to its region.
      const region = this.#seen.find(({ box }) => overlap(box, [x, y, x, y]));
      if (region) this.camera.go(...region.at, Math.min(120, this.camera.scale * 2.5));
      return this.#show(-1);
    }
    if (touch && number !== this.#hover) return this.#show(number, x, y); // the first touch shows, the second opens
    await this.#follow(number);
  }

  /**
   * To the artwork's page, once its card has come.
   * @param {number} number
   * @returns {Promise<void>}
   */
  async #follow(number) {
    const current = this.#opening.begin();
    try {
      await this.#source.know([number]);
      if (current()) location.href = /** @type {Card} */ (this.#source.card(number)).href;
    } catch (error) {
      if (current())
        this.#trouble("opening", `The artwork cannot be opened: ${clauseOf(error)}.`, () => this.#follow(number));
    }
  }

  /**
   * @param {number[] | null} corners
   * @param {boolean} finished
   */
  #draw(corners, finished) {
    this.#drawing = finished ? null : corners;
    if (finished && corners)
      this.#drawn({ corners: corners.flatMap((_, i, all) => (i % 2 ? [] : this.camera.toMap(all[i], all[i + 1]))) });
    this.draw();
  }
}

function coloursOf() {
  return dark.matches
    ? {
        page: "#141311",
        halo: "rgb(20 19 17 / .85)",
        ink: "#f4efe6",
        soft: "#cfc7b8",
        link: "#f0b27a",
        area: "rgb(240 178 122 / .12)",
      }
    : {
        page: "#ffffff",
        halo: "rgb(255 255 255 / .88)",
        ink: "#1d1b18",
        soft: "#4d4840",
        link: "#7a3b10",
        area: "rgb(122 59 16 / .09)",
      };
}
