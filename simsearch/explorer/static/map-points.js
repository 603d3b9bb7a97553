// All artworks as points, drawn by the graphics card: coordinates, colours and who is left out lie
// there, and moving the camera sends a handful of numbers.

/** @import { Camera } from './map-camera.js' */
/** @import { Look } from './map-plain.js' */

const VERTEX = `
attribute vec2 place, before;
attribute vec4 colour;
attribute float on;
uniform vec2 middle, stretch;
uniform float glide, drawn;
uniform mediump float size;
varying vec4 tint;
void main() {
  vec2 at = (mix(before, place, glide) - middle) * stretch;
  gl_Position = abs(on - drawn) < 0.5 ? vec4(at.x, -at.y, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
  gl_PointSize = size;
  tint = colour;
}`;
const FRAGMENT = `
precision mediump float;
uniform float size, strength;
uniform vec4 faint;
varying vec4 tint;
void main() {
  float edge = length(gl_PointCoord - 0.5) * size;
  float cover = size < 3.0 ? 1.0 : clamp(size * 0.5 - edge + 0.5, 0.0, 1.0);
  vec3 colour = mix(tint.rgb, faint.rgb, faint.a);
  gl_FragColor = vec4(colour, 1.0) * cover * strength;
}`;

/**
 * Null where the browser has no WebGL.
 * @param {HTMLCanvasElement} canvas
 */
export function onGraphicsCard(canvas) {
  const gl = canvas.getContext("webgl", {
    antialias: false,
    premultipliedAlpha: true,
    powerPreference: "high-performance",
  });
  return gl && new Points(canvas, gl);
}

class Points {
  /** @type {WebGLRenderingContext} */
  #gl;
  /** @type {HTMLCanvasElement} */
  #canvas;
  /** @type {Record<string, WebGLUniformLocation | null>} */
  #at = {};
  /** @type {Record<string, WebGLBuffer>} */
  #buffers = {};
  count = 0;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {WebGLRenderingContext} gl
   */
  constructor(canvas, gl) {
    [this.#gl, this.#canvas] = [gl, canvas];
    const program = gl.createProgram();
    /** @type {[number, string][]} */
    const shaders = [
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, FRAGMENT],
    ];
    for (const [kind, text] of shaders) {
      const shader = /** @type {WebGLShader} */ (gl.createShader(kind));
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS))
      throw new Error(`this browser cannot draw the map: ${gl.getProgramInfoLog(program)}`);
    gl.useProgram(program);
    for (const name of ["middle", "stretch", "glide", "size", "drawn", "strength", "faint"])
      this.#at[name] = gl.getUniformLocation(program, name);
    /** @type {Record<string, [number, number, boolean]>} */
    const layout = {
      place: [2, gl.UNSIGNED_SHORT, true],
      before: [2, gl.UNSIGNED_SHORT, true],
      colour: [4, gl.UNSIGNED_BYTE, true],
      on: [1, gl.UNSIGNED_BYTE, false],
    };
    for (const [name, [width, kind, unit]] of Object.entries(layout)) {
      const place = gl.getAttribLocation(program, name);
      this.#buffers[name] = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffers[name]);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, width, kind, unit, 0, 0);
    }
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  /**
   * @param {string} name
   * @param {AllowSharedBufferSource} values
   */
  #send(name, values) {
    this.#gl.bindBuffer(this.#gl.ARRAY_BUFFER, this.#buffers[name]);
    this.#gl.bufferData(this.#gl.ARRAY_BUFFER, values, this.#gl.STATIC_DRAW);
  }

  /** @param {Uint16Array<ArrayBuffer>} values */
  set places(values) {
    this.count = values.length / 2;
    this.#send("place", values);
  }

  /** @param {Uint16Array<ArrayBuffer>} values */
  set before(values) {
    this.#send("before", values);
  }

  /** @param {Uint8Array<ArrayBuffer>} values */
  set colours(values) {
    this.#send("colour", values);
  }

  /** @param {Uint8Array<ArrayBuffer>} values */
  set on(values) {
    this.#send("on", values);
  }

  /**
   * @param {Camera} camera
   * @param {Look} look
   */
  draw(camera, { glide, size, ratio, some, dark }) {
    const gl = this.#gl;
    const [width, height] = [Math.round(camera.width * ratio), Math.round(camera.height * ratio)];
    if (this.#canvas.width !== width || this.#canvas.height !== height)
      [this.#canvas.width, this.#canvas.height] = [width, height];
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(this.#at.middle, camera.x, camera.y);
    gl.uniform2f(this.#at.stretch, (2 * camera.unit) / camera.width, (2 * camera.unit) / camera.height);
    gl.uniform1f(this.#at.glide, glide);
    const grey = dark ? 0.55 : 0.5;
    /**
     * @param {number} drawn
     * @param {number} across
     * @param {number} strength
     * @param {number} faint
     */
    const pass = (drawn, across, strength, faint) => {
      gl.uniform1f(this.#at.drawn, drawn);
      gl.uniform1f(this.#at.size, across * ratio);
      gl.uniform1f(this.#at.strength, strength);
      gl.uniform4f(this.#at.faint, grey, grey, grey, faint);
      gl.drawArrays(gl.POINTS, 0, this.count);
    };
    if (some) pass(0, size * 0.8, 0.16, 1);
    pass(1, some ? size * 1.25 : size, some ? 0.95 : 0.8, 0);
  }
}
