"""Graph operators on skeletons, called ``conv(x, edge_index[, edge_type])`` or ``conv(x, topology)``.

``WindowAttention`` is one on grids, for models of images.
"""

from skelgraph.layers.attention import Attention
from skelgraph.layers.cheb_conv import ChebConv
from skelgraph.layers.gaussian_non_local import GaussianNonLocal
from skelgraph.layers.gcn_conv import GCNConv
from skelgraph.layers.modulated_conv import ModulatedConv
from skelgraph.layers.non_local import NonLocal
from skelgraph.layers.partition_conv import PartitionConv
from skelgraph.layers.self_attention import SelfAttention
from skelgraph.layers.sem_attention import SemAttention
from skelgraph.layers.sem_conv import SemConv
from skelgraph.layers.skeleton_conv import SkeletonConv
from skelgraph.layers.topology import Topology
from skelgraph.layers.window_attention import WindowAttention

__all__ = [
    "Attention",
    "ChebConv",
    "GCNConv",
    "GaussianNonLocal",
    "ModulatedConv",
    "NonLocal",
    "PartitionConv",
    "SelfAttention",
    "SemAttention",
    "SemConv",
    "SkeletonConv",
    "Topology",
    "WindowAttention",
]
