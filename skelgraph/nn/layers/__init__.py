"""Graph operators on skeletons, called ``conv(x, edge_index[, edge_type])`` or ``conv(x, topology)``.

``WindowAttention`` is one on grids, for models of images.
"""

from skelgraph.nn.layers.attention import Attention
from skelgraph.nn.layers.cheb_conv import ChebConv
from skelgraph.nn.layers.gaussian_non_local import GaussianNonLocal
from skelgraph.nn.layers.gcn_conv import GCNConv
from skelgraph.nn.layers.modulated_conv import ModulatedConv
from skelgraph.nn.layers.non_local import NonLocal
from skelgraph.nn.layers.partition_conv import PartitionConv
from skelgraph.nn.layers.self_attention import SelfAttention
from skelgraph.nn.layers.sem_attention import SemAttention
from skelgraph.nn.layers.sem_conv import SemConv
from skelgraph.nn.layers.skeleton_conv import SkeletonConv
from skelgraph.nn.layers.topology import Topology
from skelgraph.nn.layers.window_attention import WindowAttention

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
