"""How the bundled demo model is made: pictures that are drawn here, and networks trained on them. See tools/train_demo_model.py."""
