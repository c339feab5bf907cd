import torch

from skelgraph.datasets.cameras.views import VIEW_COLUMNS, look_at, look_from_anywhere
from skelgraph.datasets.synthetic import Synthetic
from skelgraph.skeleton.builtin import HUMAN36M

NUM = 3000


def figures():
    joints = Synthetic(HUMAN36M, num_poses=NUM).scene(0).views.joints * torch.tensor([1.0, -1.0, -1.0])
    return joints, torch.rand(NUM, VIEW_COLUMNS, generator=torch.Generator().manual_seed(0))


def test_views_keep_the_figures_shape_and_are_before_the_camera():
    joints, uniform = figures()
    for look in (look_at, look_from_anywhere):
        views = look(joints, uniform)
        torch.testing.assert_close(
            torch.cdist(views.joints, views.joints), torch.cdist(joints, joints), atol=1e-4, rtol=0
        )
        assert (views.joints[..., 2] > 0).all()


def test_from_anywhere_means_any_lens_any_side_and_anywhere_in_the_image():
    joints, uniform = figures()
    views = look_from_anywhere(joints, uniform)
    ratio = views.focal / views.image_size[:, 0]
    assert 0.5 <= ratio.min() < 0.52 and 2.3 < ratio.max() <= 2.4
    assert set(map(tuple, views.image_size.tolist())) >= {(1920, 1080), (1080, 1920)}
    middle = views.keypoints().mean(1) / views.image_size
    assert (middle.amin(0) < 0.2).all() and (middle.amax(0) > 0.8).all()
    height = (views.keypoints()[..., 1].amax(1) - views.keypoints()[..., 1].amin(1)) / views.image_size.amin(1)
    assert height.quantile(0.05) < 0.2 and height.quantile(0.95) > 0.8
    inside = ((views.keypoints() >= 0) & (views.keypoints() <= views.image_size.unsqueeze(1))).all(-1)
    assert 0.9 < inside.all(1).float().mean() < 0.995, "some are cut off"
    up = (views.joints[:, 10] - views.joints[:, 0])[:, 1].sign()
    assert (up < 0).float().mean() > 0.75, "heads are up but in people who lie"
