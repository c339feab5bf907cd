// What the two canvases and the error curve show.

// ---- colours

const PARTS = {
  light: ["#3b6fb6", "#d1622b", "#8e4ea6", "#b8860b", "#5a7d8c", "#c4476a", "#6f7f28"],
  dark: ["#7db2ff", "#ff9a66", "#cf97e6", "#e8bd57", "#9cc0cf", "#ff8ba9", "#b9c96a"],
};
const RAMP = ["#2c7bb6", "#5ab4ac", "#e8c547", "#e66101", "#a50026"];
const darkMode = matchMedia("(prefers-color-scheme: dark)");
let theme = {}, shades = new Map();

const hex = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
const mix = (a, b, t) => "rgb(" + a.map((v, i) => Math.round(v + (b[i] - v) * t)).join(",") + ")";

function readTheme() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["card", "image", "ink", "muted", "line", "left", "right", "middle", "truth", "floor"]) {
    theme[name] = style.getPropertyValue("--" + name).trim();
  }
  theme.parts = PARTS[darkMode.matches ? "dark" : "light"];
  shades = new Map();
}

/** A colour moved towards the background: level 0 is the colour itself, 8 almost gone. */
function shade(colour, level) {
  const key = colour + level;
  if (!shades.has(key)) shades.set(key, mix(hex(colour), hex(theme.card), level * 0.1));
  return shades.get(key);
}

const worst = truth ? Math.max(20, quantile(Array.from(jointError).filter((v) => v >= 0), 0.95)) : 1;

/** Colour of joint j, or of the line to it from joint i: a line across the body belongs to no side. */
function colourOf(drawn, f, j, i = j) {
  if (state.colour === "part") return drawn.part[j] < 0 ? theme.middle : theme.parts[drawn.part[j] % theme.parts.length];
  if (state.colour === "error" && drawn === figure) {
    const e = jointError[f * J + j];
    return e >= 0 ? RAMP[Math.min(RAMP.length - 1, Math.floor(RAMP.length * e / worst))] : theme.middle;
  }
  return drawn.side[i] * drawn.side[j] === 2 ? theme.middle : [theme.middle, theme.left, theme.right][drawn.side[j]];
}

// ---- state and views

const state = { frame: 0, playing: false, speed: 1, colour: "side", hover: null, clock: 0 };
const first = () => ({ yaw: -0.5, pitch: 0.2, zoom: 1, focus: -1, x: 0, y: 0, scale: 1 });
let solidView = first(), flatView = first();
let dirty = true;
const redraw = () => { dirty = true; };

function fit(canvas) {
  const ratio = window.devicePixelRatio || 1, w = canvas.clientWidth, h = canvas.clientHeight;
  if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
    canvas.width = Math.round(w * ratio); canvas.height = Math.round(h * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, w, h);
  context.lineCap = context.lineJoin = "round";
  return [context, w, h];
}

/** (x, y, z) in m, y measured from the floor -> (px, px, depth, px per m): weak perspective about the orbit's centre. */
function solidCamera(f, w, h) {
  const scale = solidView.zoom * Math.min((0.75 * h) / height, (0.92 * w) / (2 * reach));
  const [cy, sy, cp, sp] = [Math.cos(solidView.yaw), Math.sin(solidView.yaw), Math.cos(solidView.pitch), Math.sin(solidView.pitch)];
  let centre = [middle[0], -height / 2, middle[1]];
  const focus = 3 * (f * J + solidView.focus);
  if (solidView.focus >= 0 && pose.xyz[focus] === pose.xyz[focus]) centre = [pose.xyz[focus], pose.xyz[focus + 1] - floor[f], pose.xyz[focus + 2]];
  const distance = 6 * Math.max(height, reach);
  return (x, y, z) => {
    x -= centre[0]; y -= centre[1]; z -= centre[2];
    const across = cy * x + sy * z, away = cy * z - sy * x;
    const depth = sp * y + cp * away, s = (scale * distance) / Math.max(0.2 * distance, distance + depth);
    return [w / 2 + s * across, h * 0.5 + s * (cp * y - sp * away), depth, s];
  };
}

// ---- drawing

function drawGrid(context, project) {
  const radius = Math.max(1.35 * reach, 0.75 * height), n = Math.ceil(radius / tile), steps = 4;
  const levels = Array.from({ length: 6 }, () => []);
  for (let i = -n; i <= n; i++) {
    for (let k = -n * steps; k < n * steps; k++) {
      const t = tile * (k + 0.5) / steps, away = Math.hypot(i * tile, t) / radius;
      if (away < 1) levels[Math.min(5, Math.floor(6 * (1 - away)))].push([i * tile, tile * k / steps, tile * (k + 1) / steps]);
    }
  }
  context.strokeStyle = theme.floor; context.lineWidth = 1;
  levels.forEach((pieces, level) => {
    context.globalAlpha = 0.09 * (level + 0.6);
    context.beginPath();
    for (const [u, from, to] of pieces) {
      for (const [a, b] of [[[u, from], [u, to]], [[from, u], [to, u]]]) {
        const [p, q] = [a, b].map(([x, z]) => project(middle[0] + x, 0, middle[1] + z));
        context.moveTo(p[0], p[1]); context.lineTo(q[0], q[1]);
      }
    }
    context.stroke();
  });
  context.globalAlpha = 1;
}

function drawShadow(context, f, project) {
  context.strokeStyle = theme.ink; context.globalAlpha = 0.09;
  context.lineWidth = 0.012 * height * project(0, 0, 0)[3];
  context.beginPath();
  for (const line of figure.lines.filter((_, i) => solidLengths[i] > 0.04 * height)) {
    const [p, q] = line.map((j) => project(pose.xyz[3 * (f * J + j)], 0, pose.xyz[3 * (f * J + j) + 2]));
    if (p[0] === p[0] && q[0] === q[0]) { context.moveTo(p[0], p[1]); context.lineTo(q[0], q[1]); }
  }
  context.stroke();
  context.globalAlpha = 1;
}

const boneWidth = (share, size) => clamp(0.031 * size * Math.sqrt(share), 1.1, 12);

/** Bones and joints from far to near, each with a rim in the background's colour so that crossings read well. */
function drawFigure(context, drawn, points, widths, look) {
  const items = [], radius = new Float32Array(points.length).fill(1.4);
  drawn.lines.forEach(([a, b], i) => {
    radius[a] = Math.max(radius[a], 0.62 * widths[i]); radius[b] = Math.max(radius[b], 0.62 * widths[i]);
    if (points[a] && points[b]) items.push([(points[a][2] + points[b][2]) / 2, i, -1]);
  });
  points.forEach((p, j) => p && items.push([p[2] - 0.004 * look.depth, -1, j]));
  items.sort((a, b) => b[0] - a[0]);
  for (const [depth, line, joint] of items) {
    const [a, b] = line < 0 ? [joint, joint] : drawn.lines[line];
    const level = Math.round(clamp(look.level(depth) + Math.max(look.fade(a), look.fade(b)), 0, 8));
    const colour = shade(look.colour(b, a), level);
    context.beginPath();
    if (line >= 0) {
      const rim = widths[line] > 1.6;
      context.moveTo(points[a][0], points[a][1]); context.lineTo(points[b][0], points[b][1]);
      context.setLineDash([]);
      if (rim) { context.strokeStyle = theme.card; context.lineWidth = widths[line] + 2.5; context.stroke(); }
      context.setLineDash(look.hollow(a) || look.hollow(b) ? [2 + widths[line], 2 + 2 * widths[line]] : []);
      context.strokeStyle = colour; context.lineWidth = widths[line]; context.stroke();
    } else {
      context.setLineDash([]);
      context.arc(points[joint][0], points[joint][1], radius[joint] * look.dot, 0, 7);
      context.fillStyle = look.hollow(joint) ? theme.card : colour; context.fill();
      if (look.hollow(joint) || radius[joint] > 2.2) {
        context.strokeStyle = look.hollow(joint) ? colour : theme.card; context.lineWidth = 1.2; context.stroke();
      }
    }
  }
  context.setLineDash([]);
}

function ring(context, point) {
  if (!point) return;
  context.strokeStyle = theme.ink; context.lineWidth = 1.8;
  context.beginPath(); context.arc(point[0], point[1], 8.5, 0, 7); context.stroke();
}

let solidPoints = [], flatPoints = [];

function drawSolid() {
  const [context, w, h] = fit($("solid")), f = state.frame, project = solidCamera(f, w, h);
  drawGrid(context, project);
  if (!frames) return;
  drawShadow(context, f, project);
  poses.slice().reverse().filter((p) => p.visible).forEach((p) => {
    const points = Array.from({ length: J }, (_, j) => {
      const i = 3 * (f * J + j);
      return p.xyz[i] === p.xyz[i] ? project(p.xyz[i], p.xyz[i + 1] - floor[f], p.xyz[i + 2]) : null;
    });
    const size = (height * project(0, -height / 2, 0)[3]) / Math.sqrt(Math.max(1, solidView.zoom));
    const own = p === pose;
    const widths = solidLengths.map((length) => boneWidth(length / height, size) * (own ? 1 : 0.5));
    drawFigure(context, figure, points, widths, {
      depth: height, dot: own ? 1 : 0.8,
      level: (depth) => 1 + (3 * depth) / Math.max(height, reach),
      fade: () => 0,
      hollow: (j) => own && p.missing !== null && p.missing[f * J + j] === 1,
      colour: own ? (j, i) => colourOf(figure, f, j, i) : () => theme.truth,
    });
    if (own) solidPoints = points;
  });
  if (state.hover) ring(context, solidPoints[figure.joints.indexOf(state.hover.name)]);
}

function drawFlat() {
  if (!keypoints) return;
  const [context, w, h] = fit($("flat")), f = state.frame, K = keypoints.joints.length;
  const [bw, bh] = [Math.max(box.right - box.left, 1e-6), Math.max(box.bottom - box.top, 1e-6)];
  const fitted = Math.min((0.78 * w) / bw, (0.76 * h) / bh);
  const scale = (flatView.scale = fitted * flatView.zoom);
  const ox = w / 2 + flatView.x - (scale * (box.left + box.right)) / 2, oy = h * 0.52 + flatView.y - (scale * (box.top + box.bottom)) / 2;
  if (keypoints.image_size) {
    const [iw, ih] = keypoints.image_size;
    context.fillStyle = theme.image; context.strokeStyle = theme.line; context.lineWidth = 1;
    context.beginPath(); context.roundRect(ox, oy, iw * scale, ih * scale, 6); context.fill(); context.stroke();
  }
  if (!frames) return;
  flatPoints = Array.from({ length: K }, (_, j) => {
    const i = f * K + j;
    return confidence[i] > 0 ? [ox + scale * xy[2 * i], oy + scale * xy[2 * i + 1], 0, scale] : null;
  });
  const span = Math.max(bw, bh), size = (span * scale) / Math.sqrt(Math.max(1, flatView.zoom));
  drawFigure(context, keypoints, flatPoints, flatLengths.map((length) => boneWidth(length / span, size)), {
    depth: 1, dot: 1, level: () => 0, fade: (j) => 6 * (1 - confidence[f * K + j] / 255), hollow: () => false,
    colour: (j, i) => colourOf(keypoints, f, j, i),
  });
  if (state.hover) ring(context, flatPoints[keypoints.joints.indexOf(state.hover.name)]);
}

function drawCurve() {
  if (!truth || frames < 2) return;
  const [context, w, h] = fit($("curve")), top = frameError.reduce((a, b) => (b > a ? b : a), 1e-9), inset = 8;
  const at = (f) => [inset + (f / (frames - 1)) * (w - 2 * inset), h - 1 - (h - 4) * ((frameError[f] || 0) / top)];
  context.beginPath(); context.moveTo(inset, h);
  for (let f = 0; f < frames; f++) context.lineTo(...at(f));
  context.lineTo(w - inset, h); context.fillStyle = theme.muted; context.globalAlpha = 0.22; context.fill(); context.globalAlpha = 1;
  const [x, y] = at(state.frame);
  context.fillStyle = theme.ink; context.beginPath(); context.arc(x, y, 3, 0, 7); context.fill();
}
