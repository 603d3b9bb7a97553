// Fingers, mouse and keys on the map: moving, coming near, drawing a box or a lasso, opening.

import { boxCorners } from "./map-area.js";
import { WHOLE } from "./map-camera.js";

/** @import { Camera } from './map-camera.js' */
/**
 * @typedef {{ hover: (x: number, y: number) => void, leave: () => void,
 *   open: (x: number, y: number, touch: boolean, keyboard?: boolean) => void,
 *   draw: (corners: number[] | null, finished: boolean) => void, say: (words: string) => void }} Does
 */

const TAP = 6; // pixels that a finger may slip
const STEP = 60,
  KEY_STEP = 24; // pixels an arrow moves the map, and a box

// `does`: hover(x, y), leave(), open(x, y, touch), draw(corners, finished), say(words); corners and
// places are pixels of the screen, and `corners` null takes the drawing back.
export class Hands {
  mode = "move";
  /** @type {HTMLCanvasElement} */
  #canvas;
  /** @type {Camera} */
  #camera;
  /** @type {Does} */
  #does;
  /** @type {Map<number, [number, number]>} */
  #held = new Map();
  #moved = 0;
  #spread = 0;
  /** @type {{ mode: string, corners: number[] } | null} */
  #drawing = null; // corners while a box or lasso is being drawn
  /** @type {number[] | null} */
  #box = null; // left, top, right, bottom of a box made by keys

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Camera} camera
   * @param {Does} does
   */
  constructor(canvas, camera, does) {
    [this.#canvas, this.#camera, this.#does] = [canvas, camera, does];
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event, true));
    canvas.addEventListener("pointercancel", (event) => this.#up(event, false));
    canvas.addEventListener("pointerleave", () => does.leave());
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => this.#end());
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || (!this.#drawing && !this.#box)) return;
      event.preventDefault();
      this.#held.clear(); // or the hand that drew would move the map
      this.#end();
    });
  }

  /**
   * @param {MouseEvent} event
   * @returns {[number, number]}
   */
  #place(event) {
    const box = this.#canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button > 0) return;
    this.#canvas.setPointerCapture(event.pointerId);
    const [x, y] = this.#place(event);
    this.#held.set(event.pointerId, [x, y]);
    this.#spread = 0;
    if (this.#held.size > 1) return this.#end();
    this.#moved = 0;
    if (this.#box) this.#end();
    const mode = event.shiftKey && this.mode === "move" ? "box" : this.mode;
    this.#drawing = mode === "move" ? null : { mode, corners: [x, y] };
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const [x, y] = this.#place(event);
    const last = this.#held.get(event.pointerId);
    if (!last) return this.#does.hover(x, y);
    this.#held.set(event.pointerId, [x, y]);
    this.#moved += Math.abs(x - last[0]) + Math.abs(y - last[1]);
    if (this.#drawing) return this.#draw(x, y, this.#drawing);
    this.#camera.pan((x - last[0]) / this.#held.size, (y - last[1]) / this.#held.size);
    if (this.#held.size === 2) this.#pinch();
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {{ mode: string, corners: number[] }} drawing
   */
  #draw(x, y, drawing) {
    const { mode, corners } = drawing;
    if (mode === "lasso") corners.push(x, y);
    else drawing.corners = [corners[0], corners[1], x, y];
    this.#does.draw(this.#outline(drawing), false);
  }

  /** @param {{ mode: string, corners: number[] }} drawing */
  #outline({ mode, corners }) {
    return mode === "box" && corners.length === 4 ? boxCorners(corners) : corners;
  }

  #pinch() {
    const [[ax, ay], [bx, by]] = [...this.#held.values()];
    const apart = Math.hypot(ax - bx, ay - by);
    if (this.#spread) this.#camera.zoom(apart / this.#spread, (ax + bx) / 2, (ay + by) / 2);
    this.#spread = apart;
  }

  /**
   * @param {PointerEvent} event
   * @param {boolean} finished
   */
  #up(event, finished) {
    if (!this.#held.delete(event.pointerId)) return;
    const [x, y] = this.#place(event);
    const tapped = finished && this.#moved < TAP;
    const drawn = this.#drawing && this.#outline(this.#drawing);
    this.#drawing = null;
    const whole = drawn !== null && drawn.length >= 6 && finished && !tapped;
    if (drawn) this.#does.draw(whole ? drawn : null, whole);
    if (drawn && !whole && finished && !tapped) this.#does.say("A line selects nothing: draw around some artworks.");
    if (tapped) this.#does.open(x, y, event.pointerType === "touch");
  }

  #end() {
    const drawn = this.#drawing || this.#box;
    this.#drawing = this.#box = null;
    if (!drawn) return;
    this.#does.draw(null, false);
    this.#does.say("");
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    this.#camera.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0018)), ...this.#place(event));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    /** @type {Record<string, number[]>} */
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const arrow = arrows[event.key];
    if (this.#box ? this.#boxKey(event, this.#box, arrow) : this.#moveKey(event, arrow)) event.preventDefault();
  }

  /**
   * @param {KeyboardEvent} event
   * @param {number[] | undefined} arrow
   */
  #moveKey(event, arrow) {
    if (arrow) this.#camera.pan(-arrow[0] * STEP, -arrow[1] * STEP);
    else if (event.key === "+" || event.key === "=") this.#camera.zoom(1.5);
    else if (event.key === "-") this.#camera.zoom(1 / 1.5);
    else if (event.key === "0") this.#camera.go(...WHOLE);
    else if (event.key === "b") this.startBox();
    else if (event.key === "Enter") this.#does.open(this.#camera.width / 2, this.#camera.height / 2, false, true);
    else return false;
    return true;
  }

  // A box in the middle, to be moved and sized by keys.
  startBox() {
    const { width, height } = this.#camera;
    this.#box = [width * 0.35, height * 0.35, width * 0.65, height * 0.65];
    this.#does.draw(boxCorners(this.#box), false);
    this.#does.say("A box: arrows move it, Shift with arrows sizes it, Enter selects what lies in it, Escape ends it.");
  }

  /**
   * @param {KeyboardEvent} event
   * @param {number[]} box
   * @param {number[] | undefined} arrow
   */
  #boxKey(event, box, arrow) {
    if (event.key === "Enter") {
      this.#does.draw(boxCorners(box), true);
      this.#box = null;
    } else if (arrow) {
      const [dx, dy] = arrow.map((way) => way * KEY_STEP);
      const [left, top, right, bottom] = box;
      this.#box = event.shiftKey
        ? [left, top, Math.max(left + KEY_STEP, right + dx), Math.max(top + KEY_STEP, bottom + dy)]
        : [left + dx, top + dy, right + dx, bottom + dy];
      this.#does.draw(boxCorners(this.#box), false);
    } else return false;
    return true;
  }
}
