"""Calibration of a trained network: temperature, detector and thresholds."""
