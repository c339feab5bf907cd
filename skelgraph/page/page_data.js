"use strict";
// Draws the poses of the JSON block #data. Text from it reaches the page through textContent and canvases only.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const clamp = (x, low, high) => Math.min(high, Math.max(low, x));

// ---- data

function decode(packed) {
  if (!packed) return null;
  const text = atob(packed.base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  if (packed.type === "uint8") return bytes;
  if (packed.type === "float32") return new Float32Array(bytes.buffer);
  return Float32Array.from(new Int16Array(bytes.buffer), (v) => (v === -32768 ? NaN : v * packed.step));
}

const { figure, keypoints, frames } = data;
const poses = data.poses.map((p) => ({ ...p, xyz: decode(p.joints), missing: decode(p.missing), visible: true }));
const pose = poses[0], truth = poses[1];
const J = figure.joints.length;
const xy = keypoints && decode(keypoints.xy), confidence = keypoints && decode(keypoints.confidence);
const rate = data.fps || 25;

// Joint errors [F, J] and their mean per frame, mm.
const jointError = truth && new Float32Array(frames * J), frameError = truth && new Float32Array(frames);
if (truth) {
  for (let f = 0; f < frames; f++) {
    let sum = 0, count = 0;
    for (let j = f * J; j < (f + 1) * J; j++) {
      const a = 3 * j;
      jointError[j] = 1000 * Math.hypot(pose.xyz[a] - truth.xyz[a], pose.xyz[a + 1] - truth.xyz[a + 1], pose.xyz[a + 2] - truth.xyz[a + 2]);
      if (jointError[j] >= 0) { sum += jointError[j]; count++; }
    }
    frameError[f] = sum / count;
  }
}

// ---- sizes that hold for the whole clip

const quantile = (values, q) => (values.length ? values.sort((a, b) => a - b)[Math.round(q * (values.length - 1))] : NaN);
const sampled = [];
for (let f = 0; f < frames; f += Math.max(1, Math.floor(frames / 200))) sampled.push(f);

function lengths(lines, points, dims, count) {
  return lines.map(([a, b]) => quantile(sampled.map((f) => {
    let square = 0;
    for (let d = 0; d < dims; d++) square += (points[(f * count + a) * dims + d] - points[(f * count + b) * dims + d]) ** 2;
    return Math.sqrt(square);
  }).filter((v) => v >= 0), 0.5) || 0);
}

// The floor lies under the lowest joint of each frame, smoothed over a few frames: poses have no place in the world.
const lowest = new Float32Array(frames), floor = new Float32Array(frames), heights = [], xs = [], zs = [];
for (let f = 0; f < frames; f++) {
  let low = -Infinity, high = Infinity;
  for (let j = f * J; j < (f + 1) * J; j++) {
    const [x, y, z] = [pose.xyz[3 * j], pose.xyz[3 * j + 1], pose.xyz[3 * j + 2]];
    if (y > low) low = y;
    if (y < high) high = y;
    if (x === x && f % Math.ceil(frames / 200) === 0) { xs.push(x); zs.push(z); }
  }
  lowest[f] = low > -Infinity ? low : 0;
  if (low > -Infinity) heights.push(low - high);
}
for (let f = 0; f < frames; f++) {
  const window = lowest.subarray(Math.max(0, f - 4), f + 5);
  floor[f] = window.reduce((a, b) => a + b, 0) / window.length;
}
const middle = [xs, zs].map((values) => (quantile(values.slice(), 0.02) + quantile(values.slice(), 0.98)) / 2 || 0);
const height = Math.max(quantile(heights, 0.95) || 1, 1e-3);
const reach = Math.max(quantile(xs.map((x, i) => Math.hypot(x - middle[0], zs[i] - middle[1])), 0.995) || 1, 0.25 * height);
const solidLengths = lengths(figure.lines, pose.xyz, 3, J);
const flatLengths = keypoints ? lengths(keypoints.lines, xy, 2, keypoints.joints.length) : [];
const tile = [1, 2, 2.5, 5, 10].map((m) => m * 10 ** Math.floor(Math.log10(Math.max(height, reach) / 8))).find((m) => m >= Math.max(height, reach) / 8);

const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
if (keypoints) {
  for (let i = 0; i < xy.length / 2; i++) {
    if (!(confidence[i] > 0)) continue;
    box.left = Math.min(box.left, xy[2 * i]); box.right = Math.max(box.right, xy[2 * i]);
    box.top = Math.min(box.top, xy[2 * i + 1]); box.bottom = Math.max(box.bottom, xy[2 * i + 1]);
  }
  const [w, h] = keypoints.image_size || [1, 1];
  if (!(box.right >= box.left)) Object.assign(box, { left: 0, top: 0, right: w, bottom: h });
}
