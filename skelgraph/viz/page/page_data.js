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

const { keypoints, frames } = data;
const poses = data.poses.map((p, slot) => ({
  ...p, slot, count: p.figure.joints.length, xyz: decode(p.joints), missing: decode(p.missing), expected: decode(p.error_mm), error: null, visible: true,
}));
const pose = poses[0], xy = keypoints && decode(keypoints.xy), confidence = keypoints && decode(keypoints.confidence);
const rate = data.fps || 25;

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
const floor = new Float32Array(frames).fill(-Infinity), highest = new Float32Array(frames).fill(Infinity), xs = [], zs = [];
for (const p of poses) {
  const lowest = new Float32Array(frames);
  for (let f = 0; f < frames; f++) {
    let low = -Infinity;
    for (let j = f * p.count; j < (f + 1) * p.count; j++) {
      const [x, y, z] = [p.xyz[3 * j], p.xyz[3 * j + 1], p.xyz[3 * j + 2]];
      if (y > low) low = y;
      if (y < highest[f]) highest[f] = y;
      if (x === x && f % Math.ceil(frames / 200) === 0) { xs.push(x); zs.push(z); }
    }
    lowest[f] = low > -Infinity ? low : 0;
  }
  p.floor = lowest.map((_, f) => {
    const window = lowest.subarray(Math.max(0, f - 4), f + 5);
    return window.reduce((a, b) => a + b, 0) / window.length;
  });
  p.floor.forEach((y, f) => { floor[f] = Math.max(floor[f], y); });
  p.lengths = lengths(p.figure.lines, p.xyz, 3, p.count);
}
const middle = [xs, zs].map((values) => (quantile(values.slice(), 0.02) + quantile(values.slice(), 0.98)) / 2 || 0);
const height = Math.max(quantile(floor.map((y, f) => y - highest[f]).filter(Number.isFinite), 0.95) || 1, 1e-3);
const reach = Math.max(quantile(xs.map((x, i) => Math.hypot(x - middle[0], zs[i] - middle[1])), 0.995) || 1, 0.25 * height);
const flatLengths = keypoints ? lengths(keypoints.lines, xy, 2, keypoints.joints.length) : [];

// ---- errors [F, J], mm: true where there is a truth, else those the poses expect of themselves

const truth = data.truth && { ...pose, name: "Truth", xyz: decode(data.truth), missing: null, expected: null };
if (truth) {
  pose.error = new Float32Array(frames * pose.count).map((_, j) => {
    const [x, y, z] = [0, 1, 2].map((d) => pose.xyz[3 * j + d] - truth.xyz[3 * j + d]);
    return 1000 * Math.hypot(x, y, z);
  });
} else {
  for (const p of poses) p.error = p.expected;
}
const drawable = truth ? [...poses, truth] : poses;
const rated = poses.filter((p) => p.error);
const worst = Math.max(20, quantile(rated.flatMap((p) => sampled.flatMap((f) => [...p.error.subarray(f * p.count, (f + 1) * p.count)])).filter((v) => v >= 0), 0.95) || 0);
const frameError = pose.error && new Float32Array(frames).map((_, f) => {
  const known = pose.error.subarray(f * pose.count, (f + 1) * pose.count).filter((v) => v >= 0);
  return known.reduce((a, b) => a + b, 0) / known.length;
});
// Which joint of the pose each keypoint is, -1 where none has its name.
const flatJoints = keypoints ? keypoints.joints.map((name) => pose.figure.joints.indexOf(name)) : [];

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
