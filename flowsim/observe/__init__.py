"""What each party can see of the flow: observations, as a log would have them, with its imperfections."""
