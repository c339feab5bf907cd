// Colours, what the reader has chosen, and where a joint lies on a canvas.

// ---- colours

const PARTS = {
  light: ["#3b6fb6", "#d1622b", "#8e4ea6", "#b8860b", "#5a7d8c", "#c4476a", "#6f7f28"],
  dark: ["#7db2ff", "#ff9a66", "#cf97e6", "#e8bd57", "#9cc0cf", "#ff8ba9", "#b9c96a"],
};
// Viridis, even in lightness and to colour-blind eyes; the end that the background would swallow is left out.
const VIRIDIS = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"];
const RAMPS = { light: VIRIDIS.slice(0, 8).reverse(), dark: VIRIDIS.slice(2) };
const RAMP_STEPS = 32;
const darkMode = matchMedia("(prefers-color-scheme: dark)");
let theme = {}, shades = new Map();

const channels = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
const mix = (a, b, t) => "#" + channels(a).map((v, i) => Math.round(v + (channels(b)[i] - v) * t).toString(16).padStart(2, "0")).join("");

function readTheme() {
  const style = getComputedStyle(document.documentElement), name = darkMode.matches ? "dark" : "light", stops = RAMPS[name];
  for (const each of ["card", "image", "ink", "muted", "line", "left", "right", "middle", "truth", "floor"]) {
    theme[each] = style.getPropertyValue("--" + each).trim();
  }
  theme.parts = PARTS[name];
  theme.ramp = Array.from({ length: RAMP_STEPS }, (_, i) => {
    const at = (i / (RAMP_STEPS - 1)) * (stops.length - 1), from = Math.min(Math.floor(at), stops.length - 2);
    return mix(stops[from], stops[from + 1], at - from);
  });
  shades = new Map();
}

/** A colour moved towards the background: level 0 is the colour itself, 8 almost gone. */
function shade(colour, level) {
  const key = colour + level;
  if (!shades.has(key)) shades.set(key, mix(colour, theme.card, level * 0.1));
  return shades.get(key);
}

const ownColour = (p) => (p === truth ? theme.truth : theme.parts[p.slot % theme.parts.length]);
const errorColour = (mm) => (mm >= 0 ? theme.ramp[Math.min(RAMP_STEPS - 1, Math.floor((RAMP_STEPS * mm) / worst))] : theme.middle);

/** Error in mm of joint j of a pose, NaN where it is not known. */
const errorOf = (p, f, j) => (p.error && j >= 0 ? p.error[f * p.count + j] : NaN);

/** Colour of joint j, or of the line to it from joint i: a line across the body belongs to no side. */
function colourOf(p, drawn, f, j, i = j) {
  if (p === truth) return ownColour(p);
  if (state.byError) {
    const [a, b] = drawn === keypoints ? [flatJoints[i], flatJoints[j]] : [i, j];
    return errorColour((errorOf(p, f, a) + errorOf(p, f, b)) / 2);
  }
  if (state.colour === "pose") return ownColour(p);
  if (state.colour === "part") return drawn.part[j] < 0 ? theme.middle : theme.parts[drawn.part[j] % theme.parts.length];
  return drawn.side[i] * drawn.side[j] === 2 ? theme.middle : [theme.middle, theme.left, theme.right][drawn.side[j]];
}

// ---- state and views

const state = { frame: 0, clock: 0, playing: false, speed: 1, colour: poses.length > 1 ? "pose" : "side", byError: false, apart: false, pointer: null };
const first = () => ({ yaw: -0.5, pitch: 0.2, zoom: 1, focus: null, x: 0, y: 0 });
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

// ---- the scene: poses about one origin, or side by side, each with its own floor

const wide = () => (state.apart ? reach * poses.length : reach);
const shift = (p) => (state.apart ? reach * (2 * p.slot - poses.length + 1) : 0);
const tile = () => {
  const least = Math.max(height, wide()) / 8;
  return [1, 2, 2.5, 5, 10].map((m) => m * 10 ** Math.floor(Math.log10(least))).find((m) => m >= least);
};

/** Joint j of a pose in m, y from the floor. */
function place(p, f, j) {
  const i = 3 * (f * p.count + j);
  return [p.xyz[i] + shift(p), p.xyz[i + 1] - (state.apart ? p.floor : floor)[f], p.xyz[i + 2]];
}

/** (x, y, z) of the scene in m -> (px, px, depth, px per m): weak perspective about the orbit's centre. */
function solidCamera(f, w, h) {
  const scale = solidView.zoom * Math.min((0.75 * h) / height, (0.92 * w) / (2 * wide()));
  const [cy, sy, cp, sp] = [Math.cos(solidView.yaw), Math.sin(solidView.yaw), Math.cos(solidView.pitch), Math.sin(solidView.pitch)];
  const focus = solidView.focus && place(solidView.focus.pose, f, solidView.focus.joint);
  const centre = focus && focus[0] === focus[0] ? focus : [middle[0], -height / 2, middle[1]];
  const distance = 6 * Math.max(height, wide());
  return (x, y, z) => {
    x -= centre[0]; y -= centre[1]; z -= centre[2];
    const across = cy * x + sy * z, away = cy * z - sy * x;
    const depth = sp * y + cp * away, s = (scale * distance) / Math.max(0.2 * distance, distance + depth);
    return [w / 2 + s * across, h * 0.5 + s * (cp * y - sp * away), depth, s];
  };
}
