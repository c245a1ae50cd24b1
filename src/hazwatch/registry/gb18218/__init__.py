"""GB 18218-2018: identification and grading of major hazards 重大危险源辨识与分级, pure and exact."""
