// What the reader can do, and the loop.

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

function point(canvas, event) {
  state.pointer = canvas && { canvas, x: event.clientX, y: event.clientY, near: event.pointerType === "touch" ? 28 : 16 };
  redraw();
}

function reset() { solidView = first(); flatView = first(); redraw(); }

for (const canvas of [$("flat"), $("solid")]) {
  const held = new Map();
  const apart = () => { const [a, b] = [...held.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]); };
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); held.set(event.pointerId, [event.clientX, event.clientY]); point(canvas, event); });
  canvas.addEventListener("pointermove", (event) => {
    if (!held.has(event.pointerId)) return point(canvas, event);
    const last = held.get(event.pointerId), before = held.size === 2 ? apart() : 0, area = canvas.getBoundingClientRect();
    held.set(event.pointerId, [event.clientX, event.clientY]);
    if (held.size === 2) return zoom(canvas, apart() / Math.max(before, 1), event.clientX - area.left, event.clientY - area.top);
    const [dx, dy] = [event.clientX - last[0], event.clientY - last[1]];
    if (Math.hypot(dx, dy) > 2) state.pointer = null; // a drag names nothing, a finger that trembles still does
    if (canvas === $("solid")) return turn(dx * 0.009, dy * 0.007);
    flatView.x += dx; flatView.y += dy;
    redraw();
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => held.delete(event.pointerId));
  // A finger leaves with every tap: the name it asked for stays until the next one.
  canvas.addEventListener("pointerleave", (event) => { if (event.pointerType !== "touch") point(null); });
  canvas.addEventListener("wheel", (event) => { event.preventDefault(); zoom(canvas, Math.exp(-event.deltaY * 0.0015), event.offsetX, event.offsetY); }, { passive: false });
  canvas.addEventListener("dblclick", () => {
    const found = pointed();
    if (found && found.solid) solidView.focus = found; else if (canvas === $("solid")) solidView = first(); else flatView = first();
    redraw();
  });
}

$("play").addEventListener("click", () => play(!state.playing));
$("frame").addEventListener("input", () => { play(false); go(+$("frame").value); });
$("speed").addEventListener("change", () => { state.speed = +$("speed").value; });
const choose = (choice) => { Object.assign(state, choice); fillLegend(); redraw(); };
$("colour").addEventListener("change", () => choose({ colour: $("colour").value, byError: false }));
$("by-error").addEventListener("click", () => choose({ byError: !state.byError }));
$("apart").addEventListener("change", () => choose({ apart: $("apart").checked }));
document.addEventListener("pointerdown", () => point(null), { capture: true });
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
  if (dirty) { dirty = false; drawFlat(); drawSolid(); drawCurve(); say(); namePointed(); }
  requestAnimationFrame(tick);
}

readTheme();
fillWords();
fillPoses();
fillLegend();
darkMode.addEventListener("change", () => { readTheme(); fillLegend(); redraw(); });
new ResizeObserver(redraw).observe($("solid"));
requestAnimationFrame(tick);
