// Words beside the canvases, what the reader can do, and the loop.

// ---- words

function fillWords() {
  document.title = $("title").textContent = data.title;
  for (const text of data.summary) $("summary").appendChild(document.createElement("li")).textContent = text;
  $("scale").textContent = `Floor tiles ${tile >= 1 ? +tile.toFixed(2) + " m" : +(tile * 100).toFixed(2) + " cm"}`;
  $("flat-card").hidden = !keypoints;
  for (const id of ["curve", "error", "truth-label", "by-error"]) $(id).hidden = !truth;
  $("by-error").disabled = !truth;
  $("frame").max = Math.max(0, frames - 1);
  for (const id of ["play", "frame"]) $(id).disabled = frames < 2;
}

function fillLegend() {
  const entries = { side: [["Left", theme.left], ["Right", theme.right]], part: data.parts.map((name, i) => [name, theme.parts[i % theme.parts.length]]),
    error: [["0 mm", RAMP[0]], [`${Math.round(worst)} mm and more`, RAMP[RAMP.length - 1]]] }[state.colour].slice();
  if (truth && truth.visible) entries.push(["Truth", theme.truth]);
  $("legend").replaceChildren(...entries.map(([name, colour]) => {
    const item = document.createElement("li"), swatch = item.appendChild(document.createElement("i"));
    swatch.style.background = colour;
    item.append(name);
    return item;
  }));
}

function say() {
  const f = state.frame;
  $("frame").value = f;
  $("time").textContent = frames ? `${f + 1} / ${frames} · ${(f / rate).toFixed(2)} s` : "no frames";
  $("frame").setAttribute("aria-valuetext", `frame ${f + 1} of ${frames}`);
  if (truth && frames) $("error").textContent = `MPJPE ${frameError[f] >= 0 ? frameError[f].toFixed(1) : "–"} mm`;
}

function hover(canvas, event) {
  const solid = canvas === $("solid"), area = canvas.getBoundingClientRect(), points = solid ? solidPoints : flatPoints;
  const [x, y] = [event.clientX - area.left, event.clientY - area.top];
  let best = -1, least = 16;
  points.forEach((p, j) => {
    const d = p ? Math.hypot(p[0] - x, p[1] - y) : Infinity;
    if (d < least) { least = d; best = j; }
  });
  const names = solid ? figure.joints : keypoints ? keypoints.joints : [];
  state.hover = best < 0 ? null : { name: names[best], joint: best, solid };
  $("tip").hidden = best < 0;
  if (best >= 0) {
    const i = state.frame * names.length + best;
    const more = solid && truth ? ` · ${jointError[i].toFixed(1)} mm` : !solid && confidence[i] < 255 ? ` · confidence ${(confidence[i] / 255).toFixed(2)}` : "";
    $("tip").textContent = names[best] + (solid && pose.missing && pose.missing[i] ? " (not seen)" : "") + more;
    const tip = $("tip").getBoundingClientRect();
    $("tip").style.transform = `translate(${clamp(event.clientX + 14, 4, innerWidth - tip.width - 4)}px, ${clamp(event.clientY - tip.height - 10, 4, innerHeight)}px)`;
  }
  redraw();
}

// ---- what the reader does

function go(f) {
  state.frame = clamp(Math.round(f), 0, Math.max(0, frames - 1));
  state.clock = state.frame;
  redraw();
}

function play(on) {
  state.playing = on && frames > 1;
  if (state.playing && state.frame === frames - 1) go(0);
  document.body.classList.toggle("playing", state.playing);
  $("play").setAttribute("aria-label", state.playing ? "Pause" : "Play");
}

function turn(dx, dy) {
  solidView.yaw -= dx;
  solidView.pitch = clamp(solidView.pitch + dy, -1.4, 1.5);
  redraw();
}

function zoom(canvas, factor, x, y) {
  const view = canvas === $("solid") ? solidView : flatView, before = view.zoom;
  view.zoom = clamp(view.zoom * factor, 0.3, 20);
  if (canvas === $("flat")) {
    // What lies under the pointer stays there.
    const [dx, dy] = [x - canvas.clientWidth / 2, y - canvas.clientHeight * 0.52], k = view.zoom / before;
    view.x = dx - k * (dx - view.x); view.y = dy - k * (dy - view.y);
  }
  redraw();
}

function reset() { solidView = first(); flatView = first(); redraw(); }

for (const canvas of [$("flat"), $("solid")]) {
  const held = new Map();
  const apart = () => { const [a, b] = [...held.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]); };
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); held.set(event.pointerId, [event.clientX, event.clientY]); hover(canvas, event); });
  canvas.addEventListener("pointermove", (event) => {
    if (!held.has(event.pointerId)) return hover(canvas, event);
    const last = held.get(event.pointerId), before = held.size === 2 ? apart() : 0, area = canvas.getBoundingClientRect();
    held.set(event.pointerId, [event.clientX, event.clientY]);
    if (held.size === 2) return zoom(canvas, apart() / Math.max(before, 1), event.clientX - area.left, event.clientY - area.top);
    const [dx, dy] = [event.clientX - last[0], event.clientY - last[1]];
    if (canvas === $("solid")) return turn(dx * 0.009, dy * 0.007);
    flatView.x += dx; flatView.y += dy;
    redraw();
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => held.delete(event.pointerId));
  canvas.addEventListener("pointerleave", () => { state.hover = null; $("tip").hidden = true; redraw(); });
  canvas.addEventListener("wheel", (event) => { event.preventDefault(); zoom(canvas, Math.exp(-event.deltaY * 0.0015), event.offsetX, event.offsetY); }, { passive: false });
  canvas.addEventListener("dblclick", () => {
    if (canvas === $("solid") && state.hover) solidView.focus = state.hover.joint; else if (canvas === $("solid")) solidView = first(); else flatView = first();
    redraw();
  });
}

$("play").addEventListener("click", () => play(!state.playing));
$("frame").addEventListener("input", () => { play(false); go(+$("frame").value); });
$("speed").addEventListener("change", () => { state.speed = +$("speed").value; });
$("colour").addEventListener("change", () => { state.colour = $("colour").value; fillLegend(); redraw(); });
$("truth").addEventListener("change", () => { truth.visible = $("truth").checked; fillLegend(); redraw(); });
$("reset").addEventListener("click", reset);

const KEYS = {
  " ": () => play(!state.playing), Home: () => go(0), End: () => go(frames - 1),
  ArrowLeft: () => { play(false); go(state.frame - 1); }, ArrowRight: () => { play(false); go(state.frame + 1); },
  "+": () => zoom($("solid"), 1.15), "=": () => zoom($("solid"), 1.15), "-": () => zoom($("solid"), 1 / 1.15), r: reset, R: reset,
};
const TURNS = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const tag = event.target.tagName, native = tag === "SELECT" || (tag === "BUTTON" && event.key === " ") || (tag === "INPUT" && event.target.type === "checkbox" && event.key === " ");
  const action = event.shiftKey && TURNS[event.key] ? () => turn(...TURNS[event.key]) : KEYS[event.key];
  if (native || !action) return;
  event.preventDefault();
  action();
});

// ---- the loop

let last = 0;
function tick(now) {
  const passed = Math.min(0.25, (now - last) / 1000);
  last = now;
  if (state.playing) {
    state.clock = (state.clock + passed * rate * state.speed) % frames;
    if (Math.floor(state.clock) !== state.frame) { state.frame = Math.floor(state.clock); dirty = true; }
  }
  if ($("spin").checked) turn(-passed * 0.6, 0);
  if (dirty) { dirty = false; drawFlat(); drawSolid(); drawCurve(); say(); }
  requestAnimationFrame(tick);
}

readTheme();
fillWords();
fillLegend();
darkMode.addEventListener("change", () => { readTheme(); fillLegend(); redraw(); });
new ResizeObserver(redraw).observe($("solid"));
requestAnimationFrame(tick);
