"""The most that is read of untrusted input: a few bytes can ask for any amount of memory and time.

SECURITY.md lists them; together they keep what one file takes below a GiB.
"""

PIXEL_LIMIT = 50 * 10**6  # pixels of one picture: phones take photos of 48 million
MOVING_LIMIT = 25 * 10**6  # pixels of a frame of an animated picture or a video, of which decoders keep several
DECODED_LIMIT = 40 * 10**6  # bytes of a frame of a video as it is decoded: a stream may have 16 of them kept
CLIP_LIMIT = 96 * 10**6  # pixels over all frames of a clip that is in memory at once
FRAME_LIMIT = 20_000  # frames of a clip that is in memory at once, and of any animated picture
ANIMATION_LIMIT = 250 * 10**6  # pixels over all frames of an animated picture, which its bytes say little about
ACTION_LIMIT = 1000  # actions of one sprite sheet
LAYER_LIMIT = 100  # pictures that make one character
NAME_LIMIT = 200  # characters in a name of a motion, a column, an attribute

FILE_LIMIT = 2**32  # bytes of a clip: a file of holes is as long as somebody likes, and is read to be hashed
INDEX_LIMIT = 32 * 2**20  # bytes of a JSON file: what a store knows of its clips, what a run's data were
NESTS_LIMIT = 10**6  # lists and objects in a JSON file, each of which takes thirty times its two bytes
SIZE_LIMIT = 2**14  # of a width, a length or another size in a configuration
CLASS_LIMIT = 10_000  # classes of a model or a judge
TABLE_LIMIT = 16 * 2**20  # bytes of a clips.csv
LAYOUT_LIMIT = 2**20  # bytes of a sheet.toml or a file of landmarks
HEADER_LIMIT = 16 * 2**20  # bytes of the header of a file of weights
