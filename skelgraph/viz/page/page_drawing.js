// What the two canvases and the error curve show.

function drawGrid(context, project) {
  const side = tile(), radius = Math.max(1.35 * wide(), 0.75 * height), n = Math.ceil(radius / side), steps = 4;
  const levels = Array.from({ length: 6 }, () => []);
  for (let i = -n; i <= n; i++) {
    for (let k = -n * steps; k < n * steps; k++) {
      const t = side * (k + 0.5) / steps, away = Math.hypot(i * side, t) / radius;
      if (away < 1) levels[Math.min(5, Math.floor(6 * (1 - away)))].push([i * side, side * k / steps, side * (k + 1) / steps]);
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

function drawShadow(context, p, f, project) {
  context.strokeStyle = theme.ink; context.globalAlpha = 0.09;
  context.lineWidth = 0.012 * height * project(0, 0, 0)[3];
  context.beginPath();
  for (const line of p.figure.lines.filter((_, i) => p.lengths[i] > 0.04 * height)) {
    const [a, b] = line.map((j) => place(p, f, j)).map(([x, , z]) => project(x, 0, z));
    if (a[0] === a[0] && b[0] === b[0]) { context.moveTo(a[0], a[1]); context.lineTo(b[0], b[1]); }
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

let flatPoints = [], solidPoints = new Map(); // px by joint, null where unseen; those of each pose that is shown

function drawSolid() {
  const [context, w, h] = fit($("solid")), f = state.frame, project = solidCamera(f, w, h);
  drawGrid(context, project);
  solidPoints = new Map();
  if (!frames) return;
  const shown = drawable.filter((p) => p.visible), depth = (p) => project(middle[0] + shift(p), -height / 2, middle[1])[2];
  for (const p of shown) if (p !== truth && (state.apart || p === shown[0])) drawShadow(context, p, f, project);
  // Far ones first; at the same place the truth and the last pose first, so that the first lies on top.
  for (const p of shown.reverse().sort((a, b) => depth(b) - depth(a))) {
    const points = Array.from({ length: p.count }, (_, j) => {
      const [x, y, z] = place(p, f, j);
      return x === x ? project(x, y, z) : null;
    });
    const size = (height * project(0, -height / 2, 0)[3]) / Math.sqrt(Math.max(1, solidView.zoom));
    const thin = p === truth || (p !== pose && !state.apart);
    drawFigure(context, p.figure, points, p.lengths.map((length) => boneWidth(length / height, size) * (thin ? 0.5 : 1)), {
      depth: height, dot: thin ? 0.8 : 1,
      level: (z) => (state.byError ? 0 : 1 + (3 * (z - depth(p))) / Math.max(height, reach)), // a scale's colours stay as they are
      fade: () => 0,
      hollow: (j) => p.missing !== null && p.missing[f * p.count + j] === 1,
      colour: (j, i) => colourOf(p, p.figure, f, j, i),
    });
    solidPoints.set(p, points);
  }
}

function drawFlat() {
  if (!keypoints) return;
  const [context, w, h] = fit($("flat")), f = state.frame, K = keypoints.joints.length;
  const [bw, bh] = [Math.max(box.right - box.left, 1e-6), Math.max(box.bottom - box.top, 1e-6)];
  const fitted = Math.min((0.78 * w) / bw, (0.76 * h) / bh);
  const scale = fitted * flatView.zoom;
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
    depth: 1, dot: 1, level: () => 0, hollow: () => false,
    fade: (j) => (state.byError ? 0 : 6 * (1 - confidence[f * K + j] / 255)),
    colour: (j, i) => colourOf(pose, keypoints, f, j, i),
  });
}

function ring(canvas, point) {
  if (!point) return;
  const context = canvas.getContext("2d");
  context.strokeStyle = theme.ink; context.lineWidth = 1.8;
  context.beginPath(); context.arc(point[0], point[1], 8.5, 0, 7); context.stroke();
}

function drawCurve() {
  if (!frameError || frames < 2) return;
  const [context, w, h] = fit($("curve")), top = frameError.reduce((a, b) => (b > a ? b : a), 1e-9), inset = 8;
  const at = (f) => [inset + (f / (frames - 1)) * (w - 2 * inset), h - 1 - (h - 4) * ((frameError[f] || 0) / top)];
  context.beginPath(); context.moveTo(inset, h);
  for (let f = 0; f < frames; f++) context.lineTo(...at(f));
  context.lineTo(w - inset, h); context.fillStyle = theme.muted; context.globalAlpha = 0.22; context.fill(); context.globalAlpha = 1;
  const [x, y] = at(state.frame);
  context.fillStyle = theme.ink; context.beginPath(); context.arc(x, y, 3, 0, 7); context.fill();
}
