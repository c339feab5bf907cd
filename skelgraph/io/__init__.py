"""Files of keypoints, poses, calibrations and motion: one format per file."""
