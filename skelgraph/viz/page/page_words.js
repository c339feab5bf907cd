// Words beside the canvases. Names are text of strangers: they go into text nodes, never into markup.

function fillWords() {
  document.title = $("title").textContent = data.title;
  for (const text of data.summary) $("summary").appendChild(document.createElement("li")).textContent = text;
  $("flat-card").hidden = !keypoints;
  $("curve").hidden = $("error").hidden = !frameError;
  $("by-error").hidden = !rated.length;
  $("apart-label").hidden = poses.length < 2;
  if (poses.length < 2) $("by-pose").remove();
  $("colour").value = state.colour;
  $("frame").max = Math.max(0, frames - 1);
  for (const id of ["play", "frame"]) $(id).disabled = frames < 2;
}

/** A button a pose, which shows and hides it. */
function fillPoses() {
  $("poses").hidden = drawable.length < 2;
  for (const p of drawable) {
    const button = $("poses").appendChild(document.createElement("li")).appendChild(document.createElement("button"));
    button.type = "button"; button.title = p.name;
    button.append(document.createElement("i"), p.name);
    button.addEventListener("click", () => { p.visible = !p.visible; fillLegend(); redraw(); });
  }
}

function swatch(name, colour) {
  const item = document.createElement("li");
  item.appendChild(document.createElement("i")).style.background = colour;
  item.append(name);
  return item;
}

function errorScale() {
  const item = document.createElement("li"), bar = document.createElement("i");
  bar.className = "scale"; bar.style.background = `linear-gradient(90deg, ${theme.ramp.join(", ")})`;
  item.append(`${truth ? "True" : "Estimated"} error of each joint: 0`, bar, `${Math.round(worst)} mm and more`);
  return rated.length < poses.length ? [item, swatch("Not known", theme.middle)] : [item];
}

function fillLegend() {
  const entries = state.byError ? errorScale() : {
    side: [swatch("Left", theme.left), swatch("Right", theme.right)],
    part: data.parts.map((name, i) => swatch(name, theme.parts[i % theme.parts.length])), pose: [],
  }[state.colour];
  $("legend").replaceChildren(...entries);
  $("by-error").setAttribute("aria-pressed", state.byError);
  [...$("poses").querySelectorAll("button")].forEach((button, i) => {
    const p = drawable[i], mark = button.firstChild;
    button.setAttribute("aria-pressed", p.visible);
    mark.style.background = ownColour(p); mark.hidden = p !== truth && (state.byError || state.colour !== "pose");
  });
  $("scale").textContent = `Floor tiles ${tile() >= 1 ? +tile().toFixed(2) + " m" : +(tile() * 100).toFixed(2) + " cm"}`;
}

function say() {
  const f = state.frame;
  $("frame").value = f;
  $("time").textContent = frames ? `${f + 1} / ${frames} · ${(f / rate).toFixed(2)} s` : "no frames";
  $("frame").setAttribute("aria-valuetext", `frame ${f + 1} of ${frames}`);
  if (frameError && frames) $("error").textContent = `${truth ? "MPJPE" : "expected error"} ${frameError[f] >= 0 ? frameError[f].toFixed(1) : "–"} mm`;
}

/** What lies under the pointer: a joint of a pose or, in 2D, a keypoint; null where none is near. */
function pointed() {
  if (!state.pointer) return null;
  const { canvas, x, y, near } = state.pointer, area = canvas.getBoundingClientRect(), solid = canvas === $("solid");
  let found = null, least = near;
  for (const [p, points] of solid ? solidPoints : [[pose, flatPoints]]) {
    points.forEach((at, joint) => {
      const d = at ? Math.hypot(at[0] + area.left - x, at[1] + area.top - y) : Infinity;
      if (d < least || (d === least && found.pose !== p)) { least = d; found = { pose: p, joint, solid }; }
    });
  }
  return found;
}

/** A joint's name and what is known of it in this frame. */
function describe({ pose: p, joint, solid }) {
  const f = state.frame, own = solid ? joint : flatJoints[joint], words = [(solid ? p.figure : keypoints).joints[joint]];
  const certainty = solid ? 255 : confidence[f * keypoints.joints.length + joint];
  if (solid && drawable.length > 1) words.push(p.name);
  if (solid && p.missing && p.missing[f * p.count + joint]) words.push("not seen");
  if (certainty < 255) words.push(`confidence ${(certainty / 255).toFixed(2)}`);
  if (truth && errorOf(p, f, own) >= 0) words.push(`error ${errorOf(p, f, own).toFixed(1)} mm`);
  if (p.expected && own >= 0) words.push(`expected error ${p.expected[f * p.count + own].toFixed(1)} mm`);
  return words.join(" · ");
}

function namePointed() {
  const found = pointed();
  $("tip").hidden = !found;
  if (!found) return;
  const { pose: p, joint, solid } = found;
  ring($("solid"), (solidPoints.get(p) || [])[solid ? joint : flatJoints[joint]]);
  if (keypoints) ring($("flat"), flatPoints[solid ? keypoints.joints.indexOf(p.figure.joints[joint]) : joint]);
  $("tip").textContent = describe(found);
  const tip = $("tip").getBoundingClientRect(), { x, y } = state.pointer;
  $("tip").style.transform = `translate(${clamp(x + 14, 4, innerWidth - tip.width - 4)}px, ${clamp(y - tip.height - 10, 4, innerHeight)}px)`;
}
