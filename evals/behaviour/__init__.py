"""How an agent behaves when a request changes in a way whose effect is known, without saying what is right.

After Ribeiro et al. 2020, "Beyond Accuracy: Behavioral Testing of NLP Models with CheckList": invariance (nothing may
change), direction (it must change this way), minimum functionality (it must be able at all). What came of a request is
told by state and typed values; words are compared only where they are all that comes of it (`words.py`).
"""
