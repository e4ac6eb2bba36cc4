"""What tests of formats share: samples of each, damage, annotations by hand, another package's format."""
