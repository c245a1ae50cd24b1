"""Set points of gas detectors: what GB/T 50493-2019 asks for, beside what is filed and configured."""
