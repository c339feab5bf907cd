"""The values that travel: keypoints, 3D poses, people, and how joints match."""
