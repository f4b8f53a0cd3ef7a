"""What can be chosen, and the numbers that are used unless others are given; the command line lists them."""

OPERATORS = ("elliptic", "hamiltonian", "skew-symmetric", "unconstrained")
SIZE = 64  # height and width of a frame, in pixels
VALIDATION = 0.05  # of the training identities: 50 of 1000 characters
LENGTH = 8  # frames of a training window
BATCH_LIMIT = 2**16  # clips that a step draws at once
PAIRS_LIMIT = 256  # operators are dense matrices of twice this size
TABLES = ("generation", "disentanglement", "identity", "swap", "roll")  # that a run is scored by
SAMPLES = 1080  # of each kind, for entropies; of nine classes, 120 each
SEEDS = 3  # for what is drawn at random in a table
JUDGE_STEPS = 1200  # of training a judge: minutes on a CPU
LABELS = ("action", "action-direction")
PRIORS = ("fitted", "standard")  # that a motion is sampled from
POSES = ("auto", "typical", "image")  # in which a generated motion starts
OUTPUTS = (".gif", ".apng", ".webp", ".mp4", ".png", ".json")  # extensions of what can be written
FITS = ("letterbox", "crop", "stretch")
PRECISIONS = ("float32", "bfloat16")  # of the network's products; weights, losses and the motion are always float32
RESAMPLES = ("nearest", "smooth")
