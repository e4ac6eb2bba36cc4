"""Names and units of the measurements that theta weighs, in the order of its weights.

The resemblance network reads `LOCAL_MEASUREMENTS` and `TARGET_MEASUREMENTS`; the predicted IoU is a logistic
function of `CONFIDENCE_MEASUREMENTS`. "Contrast" is the grey value minus the background, over the contrast
of the target.
"""

LOCAL_MEASUREMENTS = (
    "contrast",  # (I - background) / contrast of the target
    "contrast_1",  # the same smoothed, sigma about 0.7, 1.6, 3.2, 6.5 and 13 samples
    "contrast_2",
    "contrast_3",
    "contrast_4",
    "contrast_5",
    "distance",  # from the point, in units of 10 samples
    "log_distance",  # log(1 + distance)
    "texture_1",  # 4 x local mean of |contrast - contrast_1|
    "texture_2",  # 4 x local mean of |contrast_1 - contrast_2|
)
TARGET_MEASUREMENTS = (
    "noise",  # 0.3 log(min(2, background deviation / contrast) + 0.02)
    "step_inner",  # contrast against the ring of 4 to 7 samples, relative
    "step_outer",  # contrast against the ring of 13 to 22 samples, relative
    "extent_30",  # 0.3 log(1 + samples over 30 % of the contrast within 10 samples)
    "extent_60",  # the same for 60 %
)
CONFIDENCE_MEASUREMENTS = (
    "one",
    "steepness",  # rim of the mask minus ring 1 around it, over mask minus ring 3; -1 to 2
    "separation",  # log(0.3 + s), s = (mask - rings 1 and 2) / (their deviations + 0.02), 0 to 6
    "separation_squared",
    "outline",  # pixels of the rim / square root of the mask's area
    "outline_squared",
    "blur_squared",  # peak of the contrast in the mask, smoothed twice / once; 0 to 1.5, squared
    "texture_squared",  # 10 x mean |contrast - contrast_1| beyond ring 3, squared
    "spread_squared",  # log(1 + second moment of the positive contrast up to ring 3 / area), squared
)
