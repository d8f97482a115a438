"""TensorFlow and Keras, held to the same bits on every CPU."""
