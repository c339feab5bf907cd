"""The training loop: a function of (settings, seed), whenever and however often it was broken off."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from skelgraph.datasets.randomness import hash64
from skelgraph.errors import ConfigError
from skelgraph.nn import losses
from skelgraph.nn.output import PoseOutput, as_output, map_output
from skelgraph.nn.prediction import answered, gives_frames, judged
from skelgraph.training import checkpoint
from skelgraph.training.batches import Batches
from skelgraph.training.ema import Ema
from skelgraph.training.experiment import Experiment
from skelgraph.training.judge import Judge
from skelgraph.training.progress import TrainingProgress
from skelgraph.training.run_folder import RunFolder
from skelgraph.training.signals import Interrupted, StopRequest
from skelgraph.training.state import State, stored, surroundings, take_over, warn_of_threads

READ_EVERY = 50  # steps between two looks at the device where looking would wait for it


class NonFiniteLoss(FloatingPointError):
    """The loss or the gradient was not finite; the message names the step and its samples."""


class Loop:
    """Trains one experiment in one run folder.

    The order of samples is a function of (seed, epoch), dropout of (seed, step), the data of its own seed and the
    epoch; so a checkpoint holds weights, moments and counters, and no random state. Exact on one kind of machine with
    one number of threads; on CUDA with ``deterministic: true``.

    A loss or gradient that is not finite raises a flag on the device. The fused optimiser reads it there and skips the
    update of that step and all after it; the host looks at the flag each step on the CPU, and every 50 steps, at each
    checkpoint and at each epoch's end on CUDA, where looking at each step would wait for the device. An optimiser that
    has no fused step takes the update; as the flag is looked at before anything is saved, no checkpoint ever holds it.

    Args:
        experiment: what to train.
        folder: where, entered.
        progress: whom to tell.
        stop: asked between steps.
        on_step: called with each step's number and its sample indices [B].
    """

    def __init__(
        self,
        experiment: Experiment,
        folder: RunFolder,
        progress: TrainingProgress,
        stop: StopRequest,
        on_step: Callable[[int, Tensor], None] | None = None,
    ) -> None:
        self.experiment, self.folder = experiment, folder
        self.progress, self.stop, self.on_step = progress, stop, on_step
        self.settings = experiment.training
        self.device = self.settings.torch_device()
        self.model = experiment.model.to(self.device)
        self.optimizer = experiment.optim.make(p for p in self.model.parameters() if p.requires_grad)
        self.state = State()
        self.ema = None if self.settings.ema is None else Ema(self.model, self.settings.ema)
        samples, size = len(experiment.train_data), self.settings.batch_size
        self.batches = Batches.of(self.model, samples, size, self.settings.seed, self.settings.held_out)
        self.total_steps = self.batches.per_epoch * self.settings.epochs
        self.totals = torch.zeros(2, dtype=torch.float64, device=self.device)  # sums over this epoch's poses
        self.first_bad = torch.full((), self.total_steps, device=self.device)  # int64
        self.mean_pose: list[list[float]] | None = None
        self.judge = Judge(experiment, self.batches, self.device)
        self.drawn: tuple[int, Tensor, Tensor] | None = None

    @property
    def finished(self) -> bool:
        """Whether no epoch is left, or the error on the held-out samples has not fallen for long enough."""
        patience = self.settings.patience
        return self.state.epoch >= self.settings.epochs or (patience is not None and self.state.since_best >= patience)

    def run(self) -> None:
        """Trains to the end.

        Raises:
            Interrupted: after a signal; the state is saved.
            NonFiniteLoss: if the loss or the gradient is not finite; the last checkpoint is from before that.
        """
        self.started = time.monotonic() - self.state.seconds
        self.saved_at = time.monotonic()
        if self.mean_pose is None:
            self.mean_pose = judged(self.draw(0)[1], self.model.input_kind).mean(0).tolist()
        for logger in self.experiment.loggers:
            logger.start(self.folder.path, self.state.epoch)
        try:
            while not self.finished:
                self.train_epoch()
                self.close_epoch()
            if self.state.epoch < self.settings.epochs:
                epochs, best = f"{self.state.epoch} of {self.settings.epochs}", f"{self.state.best_mpjpe_mm:.1f} mm"
                evaluations = f"{self.state.since_best} evaluations on the held-out samples"
                self.progress.note(f"ended after epoch {epochs}: no error below {best} in {evaluations}")
        finally:
            for logger in self.experiment.loggers:
                logger.stop()

    def draw(self, epoch: int) -> tuple[Tensor, Tensor]:
        """Inputs [N, J, C] and targets [N, J, 3] of an epoch, or of clips [N, T, J, C], on the device."""
        if self.drawn is None or self.drawn[0] != epoch:
            self.drawn = None
            poses = self.experiment.train_data.draw(epoch).to(self.device)
            self.drawn = (epoch, poses.inputs(self.model.in_channels), poses.target)
        return self.drawn[1:]

    def train_epoch(self) -> None:
        """The steps of the open epoch that are still to be taken."""
        epoch, end = self.state.epoch, (self.state.epoch + 1) * self.batches.per_epoch
        self.clock = (time.monotonic(), self.state.step)
        if self.state.step == end:
            return
        x, target = self.draw(epoch)
        order = self.batches.order(epoch)
        on_device = order.to(self.device)
        self.model.train()
        while self.state.step < end:
            part = self.batches.slice(self.state.step)
            if self.on_step is not None:
                self.on_step(self.state.step, order[part])
            self.step(x[on_device[part]], target[on_device[part]])
            self.after_step()

    def step(self, x: Tensor, target: Tensor) -> None:
        """One update. Nothing in here waits for the device."""
        self.seed(hash64("step", self.settings.seed, self.state.step))
        group = self.optimizer.param_groups[0]
        group["lr"] = self.learning_rate(self.state.step)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.bf16):
            output = as_output(self.model(x))
        output = map_output(Tensor.float, output)
        target = answered(target, self.model)
        loss, _ = self.objective(output, target)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        gradients = [p.grad for p in group["params"] if p.grad is not None]
        norm = nn.utils.get_total_norm(gradients)
        if self.experiment.optim.clip is not None:
            nn.utils.clip_grads_with_norm_(group["params"], self.experiment.optim.clip, norm)
        with torch.no_grad():
            finite = torch.isfinite(loss + norm)
            self.first_bad = torch.where(finite, self.first_bad, self.first_bad.clamp(max=self.state.step))
            self.optimizer.found_inf = (self.first_bad < self.total_steps).float()  # type: ignore[attr-defined]
            mean_error = losses.mpjpe(output.pose, target)
            self.totals += torch.stack([loss.detach(), mean_error]).double() * len(x)
        self.optimizer.step()
        if self.ema is not None:
            self.ema.update(self.model, self.state.step)
        self.state.step += 1

    def seed(self, seed: int) -> None:
        """As ``torch.manual_seed`` for this device; that one takes as long as a small step, for all the others."""
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            index = torch.cuda.current_device() if self.device.index is None else self.device.index
            torch.cuda.default_generators[index].manual_seed(seed)

    def objective(self, output: PoseOutput, target: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        made = self.experiment
        frames = gives_frames(self.model)
        return losses.objective(output, target, made.skeleton, made.loss, made.plugins, frames=frames)

    def learning_rate(self, step: int) -> float:
        factor = self.experiment.schedule.factor(step, self.state.epoch, self.total_steps)
        return self.experiment.optim.lr * factor

    def after_step(self) -> None:
        """Looks at the device where that is free or due, saves where it is due, and stops if asked to."""
        done, now = self.state.step, time.monotonic()
        if self.device.type == "cpu" or done % READ_EVERY == 0:
            self.check_finite()
            loss, error = self.means()
            started, before = self.clock
            speed = (done - before) * self.settings.batch_size / max(now - started, 1e-9)
            self.progress.step(done, loss, error * 1000, speed)
        every = self.settings.checkpoint_steps
        due = now - self.saved_at >= self.settings.checkpoint_every or (every is not None and done % every == 0)
        if due or self.stop.name is not None:
            self.save(self.folder.last)
        self.stop_if_asked()

    def stop_if_asked(self) -> None:
        if self.stop.name is not None:
            raise Interrupted(
                f"{self.stop.name}: stopped after step {self.state.step} of {self.total_steps}; go on with: "
                f"skelgraph.resume({str(self.folder.path)!r})"
            )

    def means(self) -> tuple[float, float]:
        """Mean loss and MPJPE (m) over the poses of the open epoch."""
        loss, error = (self.totals / self.batches.seen(self.state.step, self.state.epoch)).tolist()
        return loss, error

    def check_finite(self) -> None:
        bad = int(self.first_bad)
        if bad >= self.total_steps:
            return
        samples = self.batches.indices(bad)
        kept = f"{self.folder.last} holds the last good state" if self.folder.last.exists() else "nothing was saved yet"
        x, target = (t.cpu()[samples].flatten(1) for t in self.draw(bad // self.batches.per_epoch))
        faulty = samples[~(x.isfinite().all(1) & target.isfinite().all(1))].tolist()
        cause = f"input or target of samples {faulty[:5]} is not finite" if faulty else "try a lower lr or a clip"
        raise NonFiniteLoss(
            f"loss or gradient is not finite in step {bad} of epoch {bad // self.batches.per_epoch + 1} "
            f"(counted from 0): {cause}; {kept}. Samples of that batch: {samples.tolist()}"
        )

    def close_epoch(self) -> None:
        """Evaluates, logs and saves at the end of an epoch; in this order, so that a kill repeats but loses nothing."""
        self.check_finite()
        state, settings = self.state, self.settings
        last = state.epoch + 1 == settings.epochs
        error = self.evaluate() if last or (state.epoch + 1) % settings.eval_every == 0 else None
        setattr(state, self.judge.column, error)
        row = self.log_row(error)
        state.epoch += 1
        self.totals.zero_()
        for logger in self.experiment.loggers:
            logger.epoch(row)
        if error is not None:
            state.since_best += 1
        if error is not None and (state.best_mpjpe_mm is None or error < state.best_mpjpe_mm):
            state.best_mpjpe_mm, state.since_best = error, 0
            self.save(self.folder.best)
        self.save(self.folder.last)
        self.progress.epoch(row)
        self.stop_if_asked()

    def log_row(self, error: float | None) -> dict[str, Any]:
        """What loggers are given for the open epoch; ``error`` is that of :meth:`evaluate`."""
        loss, train_error = self.means()
        started, before = self.clock
        now = time.monotonic()
        return {
            "epoch": self.state.epoch + 1,
            "step": self.state.step,
            "lr": self.learning_rate(self.state.step - 1),
            "loss": loss,
            "train_mpjpe_mm": train_error * 1000,
            self.judge.column: "" if error is None else error,
            "poses_per_s": (self.state.step - before) * self.settings.batch_size / max(now - started, 1e-9),
            "seconds": now - self.started,
        }

    def evaluate(self) -> float:
        """MPJPE in mm on what is looked at while training; a signal saves and stops it."""

        def check() -> None:
            if self.stop.name is not None:
                self.save(self.folder.last)
                self.stop_if_asked()

        return self.judge.error(self.trained, check)

    @property
    def trained(self) -> Any:
        """The model that is evaluated and lifted with: the moving average where there is one."""
        return self.model if self.ema is None else self.ema.model

    # ---- checkpoints

    def save(self, path: Path) -> None:
        """Writes all that the rest of the training depends on.

        Raises:
            NonFiniteLoss: if the weights may be poisoned; nothing is written then.
        """
        self.check_finite()
        self.state.seconds = time.monotonic() - self.started
        meta = {
            **asdict(self.state),
            "config": self.experiment.config,
            "skeleton": self.experiment.skeleton.to_dict(),
            "in_channels": self.model.in_channels,
            "mean_pose": self.mean_pose,
            **surroundings(),
        }
        tensors = stored(self.model, self.trained, self.optimizer)
        checkpoint.save(path, {**tensors, "loop.totals": self.totals}, meta)
        self.saved_at = time.monotonic()

    def begin_with(self, state: Mapping[str, Tensor], source: Path) -> None:
        """Takes over the weights of another run, and nothing else.

        Raises:
            CheckpointError: if they do not fit.
        """
        for model in (self.model, self.trained):
            checkpoint.restore(model, state, source)

    def restore(self, tensors: Mapping[str, Tensor], meta: Mapping[str, Any], source: Path) -> None:
        """Takes over a checkpoint of :meth:`save`.

        Raises:
            CheckpointError: if its tensors do not fit.
            ConfigError: if it has more epochs behind it than there are to be.
        """
        take_over(tensors, self.model, self.trained, self.optimizer, source)
        self.totals.copy_(tensors["loop.totals"])
        self.state = State(**{field.name: meta[field.name] for field in fields(State) if field.name in meta})
        if self.state.epoch > self.settings.epochs:
            raise ConfigError(
                f"{source}: train.epochs is {self.settings.epochs}, but {self.state.epoch} epochs are trained already"
            )
        self.mean_pose = meta["mean_pose"]
        if self.device.type == "cpu":
            warn_of_threads(meta["threads"], source)
