"""Classes of the program under the names of the package `sgm.modules`."""
from modules.nn.conditioners import GeneralConditioner
