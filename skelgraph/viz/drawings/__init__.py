"""The parts of pictures: figures, strokes, layouts, labels."""
