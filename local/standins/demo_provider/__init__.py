"""An OpenID provider at which one demo user signs in, without a page: for stacks on one's own machine."""
