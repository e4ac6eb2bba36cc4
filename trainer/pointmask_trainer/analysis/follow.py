"""Updates the pictures of a run during its training and at its end."""

import time
from pathlib import Path

from pointmask.advice import command, install
from pointmask_trainer.analysis.label_files import Change
from pointmask_trainer.analysis.page import excuse, section, write_analysis
from pointmask_trainer.analysis.pictures import pictures_of
from pointmask_trainer.analysis.study import study_run
from pointmask_trainer.data.split import Split
from pointmask_trainer.run.layout import RunFolder

_TENTHS = 10
_SHARE = 0.005  # of the time of a run that may go into drawing, before its last epoch
_SECONDS = 3.0  # that a drawing is assumed to take, before the first one


class Follower:
    """Writes ``analysis/`` of a run, and returns the section of its report that shows it.

    Parameters
    ----------
    run : Path
    split : Split
        Training images.
    learns : bool
        Whether the strategy learns supervision: else there is nothing to show.

    Notes
    -----
    Drawing costs some seconds. It is done when there is a new version of the labels, or a tenth of the run
    has passed, as long as it takes no noticeable share of the run; and always after the last epoch. It only
    reads what the run has written, and a failure is reported on the page: it ends no training.
    """

    def __init__(self, run: Path, split: Split, *, learns: bool) -> None:
        self._run, self._split, self._learns = run, split, learns
        self._index = {name: k for k, name in enumerate(split.ids)}
        self._known: dict[int, Change] = {}
        self._drawn_for = (0, 0)  # of the first epochs there is nothing to see
        self._section = excuse(
            "The pictures are drawn when the run ends, and now and then where it takes long; at any time "
            f"with: {command('analyse', run)}"
        )
        self._began, self._spent, self._cost = time.perf_counter(), 0.0, _SECONDS

    def section(self, version: int, epoch: int, epochs: int) -> str:
        """Return the section of the report, updated if necessary.

        Parameters
        ----------
        version : int
            Of the labels.
        epoch, epochs : int
            Epochs that are finished, and those of the whole run.
        """
        if not self._learns:
            return ""
        news = (version, _TENTHS * epoch // epochs)
        begun = time.perf_counter()
        is_affordable = self._spent + self._cost <= _SHARE * (begun - self._began)
        if epoch == epochs or (news != self._drawn_for and is_affordable):
            self._draw()
            self._drawn_for = news
            self._cost = time.perf_counter() - begun
            self._spent += self._cost
        return self._section

    def _draw(self) -> None:
        try:
            study = study_run(self._run, known=self._known)
            pictures = pictures_of(study, lambda name: self._split.images.stored(self._index[name]))
            write_analysis(study, pictures, RunFolder(self._run).analysis)
            self._section = section(pictures)
        except ModuleNotFoundError as error:
            self._section = excuse(
                f"There are no pictures, as {error.name} is missing. Install it with: {install('train')}, "
                f"then run: {command('analyse', self._run)}"
            )
        except Exception as error:  # a picture is not worth a training
            self._section = excuse(
                f"The pictures could not be drawn ({type(error).__name__}: {error}); try again with: "
                f"{command('analyse', self._run)}"
            )
