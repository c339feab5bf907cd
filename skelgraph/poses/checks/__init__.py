"""What looks wrong with 2D keypoints: units, bodies, motion."""
