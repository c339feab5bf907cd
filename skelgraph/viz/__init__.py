"""Pictures and pages of poses and skeletons."""
