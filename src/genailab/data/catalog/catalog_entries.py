"""What the catalog lists: addresses, terms and checksums, one entry a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

__all__ = ["DOWNLOADS", "Entry"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file that can be had by name.

    Parameters
    ----------
    address
        Where it is downloaded from; empty where it is bundled.
    file
        The name that it is saved under.
    size
        Bytes, where they are known; exact if ``sha256`` is given, else about.
    sha256
        None where the file was never at hand or changes at its origin: then the checksum of the first
        download is recorded beside it, and `check` compares with that.
    kind
        What is in it: ``cells``, ``sequences``, ``variants``, ``genome``, ``annotation`` or ``proteins``.
    """

    name: str
    title: str
    kind: str
    licence: str
    citation: str
    file: str
    address: str = ""
    size: int | None = None
    sha256: str | None = None

    @property
    def is_bundled(self) -> bool:
        """Whether every installation carries the file."""
        return not self.address


def _on_github(repository: str, commit: str, path: str, *, file: str = "", **about: object) -> Entry:
    address = f"https://raw.githubusercontent.com/{repository}/{commit}/{path}"
    return Entry(address=address, file=file or PurePosixPath(path).name, **about)  # type: ignore[arg-type]


_DEEPSTARR = ("bernardo-de-almeida/DeepSTARR", "b02e460c7581934bb6c8910e53be04da10688781")
_BAMBU = ("GoekeLab/bambu", "42dbb3908f588a571093c9122c66326b3ef16a4d")
_SCPERTURB = "https://zenodo.org/records/13350497/files"

DOWNLOADS = (
    _on_github(
        "HelenaLC/muscat",
        "017b290b414212c357e184d17edcca27f4302ace",
        "data/example_sce.rda",
        file="ifnb_pbmc.rda",
        name="ifnb_pbmc",
        title="Blood cells with and without interferon beta, 1,556 cells x 1,267 genes, as R object",
        kind="cells",
        licence="GPL-3 (data public)",
        citation="Kang et al. 2018, doi:10.1038/nbt.4042",
        size=1_045_440,
        sha256="f66811fa513a01a91dae01bad308e96ed5238277246b911d8e1cd5f4425c3ed9",
    ),
    _on_github(
        "kircherlab/MPRA_SaturationMutagenesis",
        "c5cadb46a3ec9bbeb8f678e8dc2b2335191f121b",
        "data/elements.tsv.gz",
        file="mpra_satmut_elements.tsv.gz",
        name="mpra_saturation",
        title="Saturation mutagenesis of 29 regulatory elements, 44,658 variants with effects",
        kind="variants",
        licence="MIT",
        citation="Kircher et al. 2019, doi:10.1038/s41467-019-11526-w",
        size=2_677_485,
        sha256="fec2eed91fe27af3aae07ebce2eca65e9bad4bb6abba5d8c27f478887dd7b134",
    ),
    _on_github(
        *_DEEPSTARR,
        "DeepSTARR/Neural_Network_DNA_Demo/data/ctcf.fa.gz",
        name="ctcf_peaks",
        title="CTCF peaks of GM12875 (hg19), 39,184 sequences of 100 bp with their coordinates",
        kind="sequences",
        licence="MIT",
        citation="ENCODE Project Consortium 2012, doi:10.1038/nature11247",
        size=1_787_323,
        sha256="29f74f5096f3d6e71125c3b34eabb88d72e422fefeac55c9763b4e588132c4d5",
    ),
    _on_github(
        *_DEEPSTARR,
        "DeepSTARR/Neural_Network_DNA_Demo/data/pu1.fa.gz",
        name="pu1_peaks",
        title="PU.1 peaks of K562 (hg19), 28,677 sequences of 100 bp with their coordinates",
        kind="sequences",
        licence="MIT",
        citation="ENCODE Project Consortium 2012, doi:10.1038/nature11247",
        size=1_307_470,
        sha256="5db3f070fa38285600492ae4d2fe58e511ffd3f1573ecf48cc7cff7a2e297a2a",
    ),
    _on_github(
        "J-SNACKKB/FLIP",
        "62cace8735f5610e2743cf06ce0f944b37fffaa6",
        "splits/secondary_structure/splits.zip",
        file="flip_secondary_structure.zip",
        name="secondary_structure",
        title="11,156 proteins with 3-state secondary structure, split by FLIP",
        kind="proteins",
        licence="AFL-3.0",
        citation="Dallago et al. 2021, doi:10.1101/2021.11.09.467890",
        size=2_321_037,
        sha256="2e9bbbfd18a055bcac7edd4e059a6bf4bb35ca3ad8f8fa4fc3106422652a4726",
    ),
    _on_github(
        *_BAMBU,
        "inst/extdata/Homo_sapiens.GRCh38.dna_sm.primary_assembly_chr9_1_1000000.fa",
        file="chr9_1_1000000.fa",
        name="chr9_start",
        title="First megabase of human chromosome 9, GRCh38",
        kind="genome",
        licence="GPL-3 (data public)",
        citation="Chen et al. 2023, doi:10.1038/s41592-023-01908-w; Ensembl 91",
        size=1_016_670,
        sha256="f05af38059ad29f1d8e973c96f8a0f1510a80d68170fb0989ccadeb416fc725f",
    ),
    _on_github(
        *_BAMBU,
        "inst/extdata/Homo_sapiens.GRCh38.91_chr9_1_1000000.gtf",
        file="chr9_1_1000000.gtf",
        name="chr9_start_genes",
        title="Ensembl genes of that megabase, 23 genes and 105 transcripts",
        kind="annotation",
        licence="GPL-3 (data public)",
        citation="Chen et al. 2023, doi:10.1038/s41592-023-01908-w; Ensembl 91",
        size=682_131,
        sha256="89a895aaee003c0e92e49b72ec75626bdf5a098b5552524b1648e40011c78e44",
    ),
    Entry(
        name="pbmc3k",
        title="2,700 blood cells x 32,738 genes, raw counts",
        kind="cells",
        licence="CC BY 4.0",
        citation="Zheng et al. 2017, doi:10.1038/ncomms14049",
        address="https://exampledata.scverse.org/scanpy/pbmc3k_raw.h5ad",
        file="pbmc3k_raw.h5ad",
        size=5_900_000,
    ),
    Entry(
        name="norman2019",
        title="Perturb-seq of single and paired gene activation in K562, scPerturb's version",
        kind="cells",
        licence="CC BY 4.0",
        citation="Norman et al. 2019, doi:10.1126/science.aax4438; Peidli et al. 2024",
        address=f"{_SCPERTURB}/NormanWeissman2019_filtered.h5ad?download=1",
        file="NormanWeissman2019_filtered.h5ad",
        size=699_000_000,
    ),
    Entry(
        name="sciplex3",
        title="sci-Plex 3: 188 compounds at four doses in three cell lines, scPerturb's version",
        kind="cells",
        licence="CC BY 4.0",
        citation="Srivatsan et al. 2020, doi:10.1126/science.aax6234; Peidli et al. 2024",
        address=f"{_SCPERTURB}/SrivatsanTrapnell2020_sciplex3.h5ad?download=1",
        file="SrivatsanTrapnell2020_sciplex3.h5ad",
    ),
    Entry(
        name="tahoe100m_shard",
        title="Tahoe-100M, the first of 3,388 shards of cells under drugs (parquet)",
        kind="cells",
        licence="CC0 1.0",
        citation="Zhang et al. 2025, doi:10.1101/2025.02.20.639398",
        address=(
            "https://huggingface.co/datasets/tahoebio/Tahoe-100M/resolve/main/data/train-00000-of-03388.parquet"
        ),
        file="tahoe100m_train-00000-of-03388.parquet",
        size=71_200_000,
    ),
    Entry(
        name="hg38",
        title="Human genome, GRCh38 as named by UCSC (chr1, ...)",
        kind="genome",
        licence="public (UCSC)",
        citation="Schneider et al. 2017, doi:10.1101/gr.213611.116",
        address="https://hgdownload.soe.ucsc.edu/goldenPath/hg38/bigZips/hg38.fa.gz",
        file="hg38.fa.gz",
        size=984_000_000,
    ),
    Entry(
        name="clinvar",
        title="ClinVar on GRCh38 (chromosomes named 1, 2, ...); replaced every week",
        kind="variants",
        licence="public (NCBI)",
        citation="Landrum et al. 2018, doi:10.1093/nar/gkx1153",
        address="https://ftp.ncbi.nlm.nih.gov/pub/clinvar/vcf_GRCh38/clinvar.vcf.gz",
        file="clinvar.vcf.gz",
    ),
)
